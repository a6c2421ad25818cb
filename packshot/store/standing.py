"""How a job stands, read and locked in plain SQL: every delivery of every step begins with it.

The hot path does without the ORM, whose unit of work costs more than the statements themselves.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Table, select
from sqlalchemy.orm import Session

from packshot.errors import NotFound
from packshot.store.tables import ArtifactRow, JobRow, OutboxRow, ReviewRow, StepRow

JOBS = cast("Table", JobRow.__table__)
STEPS = cast("Table", StepRow.__table__)
ARTIFACTS = cast("Table", ArtifactRow.__table__)
REVIEWS = cast("Table", ReviewRow.__table__)
OUTBOX = cast("Table", OutboxRow.__table__)

_STEPS = select(
    *(STEPS.c.name, STEPS.c.status, STEPS.c.attempt, STEPS.c.fence),
    *(STEPS.c.worker, STEPS.c.lease_until, STEPS.c.result),
).order_by(STEPS.c.position)


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
    steps: tuple[Row[Any], ...] = tuple(db.execute(_STEPS.where(STEPS.c.job == job_id)))
    return Standing(job_id, head.status, head.request, head.created_at, head.now, steps)
