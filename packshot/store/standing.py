"""How a job stands, read under its lock: every delivery of every step begins with it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from packshot.contract import Step
from packshot.errors import NotFound
from packshot.store.statements import READ_STEPS, Timed
from packshot.store.tables import StepStatus


@dataclass(frozen=True, slots=True)
class Standing:
    """A job whose row is locked, and its steps in order. `now` is the transaction's moment."""

    id: UUID
    status: str
    request: dict[str, Any]
    created_at: datetime
    now: datetime
    steps: tuple[Row[Any], ...]

    def position(self, step: str) -> int:
        """Where `step` is among the steps. Raises `NotFound`."""
        for at, one in enumerate(self.steps):
            if one.name == step:
                return at
        raise NotFound(f"Job {self.id} has no step {step}.")

    def held(self, at: int, worker: str | None = None) -> bool:
        """Whether somebody runs the step at position `at` under a living lease: `worker`, if given.

        Not the moment itself: a lease that ends now has ended.
        """
        one = self.steps[at]
        alive = one.lease_until is not None and one.lease_until > self.now
        return one.status == StepStatus.RUNNING and alive and worker in (None, one.worker)

    def name(self, at: int) -> Step:
        """The step at position `at`."""
        return Step(self.steps[at].name)

    def onward(self, at: int, carrier: str) -> int | None:
        """Where the job goes on with the message of step `carrier`, if the step `at` is done.

        None where it is not, where another message has the job, or nothing is left. The job is
        this message's as long as every step behind `at` was begun under it, or was done before (a
        person's correction leaves steps out).
        """
        done_at = self.steps[at].finished_at
        if self.steps[at].status != StepStatus.DONE:
            return None
        for position, one in enumerate(self.steps[at + 1 :], at + 1):
            if one.status == StepStatus.PENDING:
                return position
            if one.status != StepStatus.DONE:
                return position if one.carrier == carrier else None
            if one.carrier != carrier and one.finished_at >= done_at:
                return None
        return None

    def queued_at(self, at: int) -> datetime:
        """Since when the step at position `at` waits: the end of the one before it."""
        before: datetime | None = self.steps[at - 1].finished_at if at else None
        return before or self.created_at

    def results_before(self, at: int) -> dict[str, dict[str, Any]]:
        """What the steps before position `at` found, by their names."""
        return {one.name: one.result for one in self.steps[:at] if one.result is not None}


def standing(db: Connection, timed: Timed, this: dict[str, Any]) -> Standing:
    """Lock a job and read it; `this` has the parameters of `lock_job`. Raises `NotFound`.

    Two statements, since one would read the steps as they were before it waited for the lock.
    """
    job_id: UUID = this["of_job"]
    head = db.execute(timed.lock_job, this).one_or_none()
    if head is None:
        raise NotFound(f"There is no job {job_id}.")
    steps: tuple[Row[Any], ...] = tuple(db.execute(READ_STEPS, {"job": job_id}))
    return Standing(job_id, head.status, head.request, head.created_at, head.now, steps)
