"""How urgent the calling thread's work is: who waits for it, and until when an answer is worth it.

Whoever does the work enters an `Urgency`; a batcher looks it up when an item is handed in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Urgency:
    """Attributes: `live`, somebody is waiting; `deadline`, on the batcher's clock, or None."""

    live: bool = False
    deadline: float | None = None

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Make this the calling thread's urgency."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


_NONE = Urgency()
_current: ContextVar[Urgency] = ContextVar("urgency", default=_NONE)


def current() -> Urgency:
    """The urgency of the calling thread's work; that of bulk work where nobody said anything."""
    return _current.get()
