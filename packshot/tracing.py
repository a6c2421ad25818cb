"""The trace of a job: from the producer's message through every step to its event.

Steps are separate messages, so nothing is handed from one to the next: the trace id and the id of
the job's own span follow from the ledger's request and the job's id, and every process computes the
same ones. A trace looks like this, whoever did the parts:

    the producer's span, where the message brought a `traceparent`
    └── job                       accepted to final; written by whoever ends the job
        ├── intake
        ├── prepare, ocr, ...     one span per attempt at a step
        └── finish
            └── event             the publishing of what the step put into the outbox

Without an exporter nothing of this costs more than a hash per step; `packshot.otel` has the rest.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from packshot.store.tickets import Ticket

#: W3C trace context, version 00: trace id, parent span id, flags. All zeros are no id.
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")

_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


@dataclass(frozen=True, slots=True)
class Context:
    """Where spans of one job belong: the ids as numbers, as the runtime of traces wants them."""

    trace_id: int
    #: The job's own span.
    job_span: int
    #: The producer's span, or None where the message named none.
    producer_span: int | None
    #: Whether the producer wants this trace kept; None leaves that to us.
    sampled: bool | None

    @property
    def trace(self) -> str:
        """The trace id as logs and tools write it."""
        return f"{self.trace_id:032x}"


def context(job_id: UUID, traceparent: str | None) -> Context:
    """The trace of a job; a `traceparent` that is none counts as missing."""
    own = hashlib.sha256(job_id.bytes).digest()
    job_span = int.from_bytes(own[16:24]) or 1
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if found is None:
        # Not the job's id itself: its fixed bits would spoil sampling by trace id.
        return Context(int.from_bytes(own[:16]), job_span, None, None)
    trace, parent, flags = found.groups()
    return Context(int(trace, 16), job_span, int(parent, 16), bool(int(flags, 16) & 1))


def current() -> str | None:
    """The `traceparent` of the span that this thread is in, for an event that it writes."""
    return _current.get()


@contextmanager
def inside(traceparent: str) -> Iterator[None]:
    """Be in a span: what this thread writes meanwhile comes from it."""
    token = _current.set(traceparent)
    try:
        yield
    finally:
        _current.reset(token)


class Span(Protocol):
    """What a step may say about itself while it runs."""

    def note(self, **attributes: str | float | bool) -> None:
        """Add attributes, below `packshot.`."""

    def fail(self, code: str, sentence: str) -> None:
        """Say that it ends in an error."""


class Tracing(Protocol):
    """Writes the spans of jobs. Thread-safe."""

    def step(self, ticket: Ticket) -> AbstractContextManager[Span]:
        """One attempt at a step, for as long as the context is open."""

    def intake(self, job_id: UUID, traceparent: str | None, started: float) -> None:
        """A message was taken in; `started` is in seconds since the epoch."""

    def settled(self, ticket: Ticket, status: str) -> None:
        """A job has ended: write its own span."""

    def event(self, kind: str, event: Mapping[str, Any]) -> AbstractContextManager[None]:
        """The publishing of one event."""

    def close(self) -> None:
        """Send what is not sent yet."""


class _Quiet:
    def note(self, **attributes: str | float | bool) -> None:
        """Nobody listens."""

    def fail(self, code: str, sentence: str) -> None:
        """Nobody listens."""


class NoTracing:
    """Tracing that is off."""

    _span = _Quiet()

    @contextmanager
    def step(self, ticket: Ticket) -> Iterator[Span]:
        """Nothing."""
        del ticket
        yield self._span

    def intake(self, job_id: UUID, traceparent: str | None, started: float) -> None:
        """Nothing."""

    def settled(self, ticket: Ticket, status: str) -> None:
        """Nothing."""

    @contextmanager
    def event(self, kind: str, event: Mapping[str, Any]) -> Iterator[None]:
        """Nothing."""
        del kind, event
        yield

    def close(self) -> None:
        """Nothing."""
