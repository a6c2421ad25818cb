"""Replaying a dead letter: what it was decides where it goes, and the ledger whether it is needed.

Everything here may be done twice. A producer's message that is published again is recognised by
(source, job_id); a step that is published again is recognised by the ledger's `begin`. So a letter
is removed only after its replay is safe, and a crash in between costs a query.
"""

from dataclasses import dataclass, field
from uuid import UUID

from celery import Celery

from packshot.client import Client
from packshot.contract import Step
from packshot.errors import Conflict, NotFound
from packshot.store.ledger import Ledger
from packshot.store.tables import SETTLED, JobStatus, StepStatus
from packshot.store.views import JobView, Views
from tasks import workflow
from workers.dead import Kind, Letter


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a letter. `done` says that it may be removed."""

    done: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Replay:
    """Replays letters. `views` and `ledger` are those of the installation that `app` belongs to."""

    client: Client
    app: Celery
    ledger: Ledger
    views: Views
    #: Jobs that were started in this replay: a second letter of theirs starts nothing.
    _started: set[UUID] = field(default_factory=set)

    def replay(self, letter: Letter) -> Answer:
        """Bring a letter back to life; remove it only where the answer says `done`.

        Raises `Transient` or `ConfigurationError` when the broker or the database is away.
        """
        if letter.kind is Kind.JOB:
            self.client.publish(letter.body)
            return Answer(True, "handed to the intake again; refused again, it comes back")
        if letter.step is None:
            return Answer(False, "neither a job nor a step of ours: `show` it, then `discard` it")
        return self._resume(letter.step[0])

    def _resume(self, row: UUID) -> Answer:
        if row in self._started:
            return Answer(True, "its job was started a moment ago")
        try:
            view = self.views.by_id(row)
        except NotFound:
            return Answer(False, f"the ledger has no job {row}: `discard` it if that is right")
        name = f"{view.source}/{view.job_id}"
        if view.status in SETTLED and view.status != JobStatus.FAILED:
            return Answer(True, f"{name} is {view.status} already: nothing to do")
        try:
            first = self._reopened(view)
        except Conflict:
            return Answer(True, f"{name} was taken up by somebody else meanwhile")
        workflow.start(self.app, row, view.request, first=first)
        self._started.add(row)
        return Answer(True, f"{name} goes on at {first}")

    def _reopened(self, view: JobView) -> Step:
        """The first unfinished step of a job that is open after this."""
        if view.status == JobStatus.FAILED:
            return self.ledger.retry(view.source, view.job_id)[2]
        for step in view.steps:
            if step.status != StepStatus.DONE:
                return Step(step.name)
        return Step.FINISH
