"""How a job stands, read under its lock: every delivery of every step begins with it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

from packshot.errors import NotFound
from packshot.store.statements import JOBS, READ_STEPS


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

    def results_before(self, at: int) -> dict[str, dict[str, Any]]:
        """What the steps before position `at` found, by their names."""
        return {one.name: one.result for one in self.steps[:at] if one.result is not None}


def standing(db: Session, job_id: UUID, moment: ColumnElement[datetime]) -> Standing:
    """Lock a job and read it. Raises `NotFound`.

    Two statements, since one would read the steps as they were before it waited for the lock.
    """
    head = db.execute(
        select(JOBS.c.status, JOBS.c.request, JOBS.c.created_at, moment.label("now"))
        .where(JOBS.c.id == job_id)
        .with_for_update()
    ).one_or_none()
    if head is None:
        raise NotFound(f"There is no job {job_id}.")
    steps: tuple[Row[Any], ...] = tuple(db.execute(READ_STEPS, {"job": job_id}))
    return Standing(job_id, head.status, head.request, head.created_at, head.now, steps)
