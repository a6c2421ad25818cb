"""A runner over a real ledger, with stages of one line: for tests of what becomes of deliveries."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from packshot.contract import Image, Job, Step
from packshot.errors import (
    DatabaseUnavailable,
    PackshotError,
)
from packshot.store.ledger import Ledger, Outcome, Settlement, Ticket
from packshot.store.tables import JobStatus
from packshot.store.views import JobView
from tasks.backoff import Answer
from tasks.delivery import Next
from tasks.runner import Runner
from tasks.services import Services
from tasks.stage import Found, Stage, Work

JOB = Job(version=1, source="tests", job_id="1", image=Image(uri="s3://a/b"), steps=(Step.OCR,))
LEASE = timedelta(minutes=1)


class Note(BaseModel):
    """What the stages here find out."""

    text: str


class Flaky(Ledger):
    """A real ledger on a line that breaks: before a write is done, or before its answer is back."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.now = datetime(2026, 11, 23, tzinfo=UTC)
        self._clock = lambda: self.now
        #: Failures to come, as (method, whether the write is done all the same).
        self.failures: list[tuple[str, bool]] = []

    def _break(self, method: str, write: Callable[[], Answer]) -> Answer:
        if self.failures and self.failures[0][0] == method:
            _, done = self.failures.pop(0)
            if done:
                write()
            raise DatabaseUnavailable("The line is cut.")
        return write()

    def begin(self, job_id: UUID, step: Step, **how: Any) -> Ticket:
        return self._break("begin", lambda: super(Flaky, self).begin(job_id, step, **how))

    def commit(self, ticket: Ticket, outcome: Outcome) -> None:
        self._break("commit", lambda: super(Flaky, self).commit(ticket, outcome))

    def advance(self, ticket: Ticket, outcome: Outcome) -> Ticket | None:
        return self._break("advance", lambda: super(Flaky, self).advance(ticket, outcome))

    def release(self, ticket: Ticket, why: PackshotError | None = None) -> None:
        self._break("release", lambda: super(Flaky, self).release(ticket, why))

    def fail(self, ticket: Ticket, error: PackshotError) -> None:
        self._break("fail", lambda: super(Flaky, self).fail(ticket, error))


@dataclass
class Bench:
    """A runner, what it stands on, and what its stages do."""

    services: Services
    ledger: Flaky
    slept: list[float] = field(default_factory=list)
    seen: list[tuple[UUID, Step, Next]] = field(default_factory=list)
    ran: list[tuple[str, Step]] = field(default_factory=list)
    #: What a stage does instead of answering, by its step.
    instead: dict[Step, Callable[[Work], Found | None]] = field(default_factory=dict)
    keys: bool = False

    def __post_init__(self) -> None:
        self.runner = Runner(
            self.services,
            {step: self._stage(step) for step in Step},
            watch=lambda *event: self.seen.append(event),
            sleep=self.slept.append,
        )

    def _stage(self, step: Step) -> Stage:
        def run(work: Work) -> Found:
            self.ran.append((work.job.job_id, step))
            if step in self.instead and (found := self.instead[step](work)) is not None:
                return found
            end = settlement() if step is Step.FINISH else None
            return Found(Note(text=step), confidence=0.5, settlement=end)

        def key(work: Work) -> str:
            return work.input_key("same") if self.keys else work.input_key(work.job.job_id)

        return Stage(step, Note, run, key=key if step is Step.OCR else None)

    def submit(self, name: str = "1") -> UUID:
        return self.ledger.submit(JOB.model_copy(update={"job_id": name})).id

    def going_on(self, *steps: Step) -> Runner:
        """The runner of a worker that does these steps without a message."""
        return replace(self.runner, goes_on=lambda step, _lane: step in steps)

    def deliver(self, row: UUID, step: Step, handbacks: int = 0) -> Next:
        return self.runner.deliver(row, step, worker="w1", handbacks=handbacks).fate

    def view(self, name: str = "1") -> JobView:
        return self.services.views.job("tests", name)

    def step(self, step: Step, name: str = "1") -> Any:
        return next(one for one in self.view(name).steps if one.name == step)

    def events(self) -> list[dict[str, Any]]:
        out: list[dict[str, Any]] = []
        self.services.outbox.relay(lambda _kind, event: out.append(event))
        return out


def settlement() -> Settlement:
    return Settlement(JobStatus.ACCEPTED, {"ok": True}, (), 0.9, None, {"status": "accepted"})


def raising(error: Exception, times: int = 10**6) -> Callable[[Work], None]:
    """A stage that fails some times."""
    left = [times]

    def run(_: Work) -> None:
        if left[0]:
            left[0] -= 1
            raise error

    return run
