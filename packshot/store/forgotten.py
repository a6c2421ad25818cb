"""Which jobs stand still: neither settled nor moving, as their message or their holder is gone.

Work is done in the order in which it was created, lane by lane, so that whoever was forgotten is
soon among the oldest of its lane. Only those are read: a backlog of a hundred thousand jobs costs
what one of a thousand does, and does not hide a live job.
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from packshot.contract import Lane, Step
from packshot.store.heads import UNFINISHED, heads
from packshot.store.tables import JobRow, StepRow, StepStatus

#: Latest begun steps that are looked at for one that was queued later.
BEGUN = 1000
#: How much later a job must have been queued, and begun first, to prove that one was passed over:
#: redeliveries come back to the end of their queue, so a little overtaking is ordinary.
OVERTAKEN = timedelta(seconds=60)


def idle(before: datetime) -> ColumnElement[bool]:
    """Whether a job is unfinished, and was neither moved nor restarted since `before`."""
    nudged = or_(JobRow.nudged_at.is_(None), JobRow.nudged_at < before)
    return JobRow.status.in_(UNFINISHED) & (JobRow.updated_at < before) & nudged


def lapsed(db: Session, before: datetime, limit: int) -> Iterator[tuple[UUID, Step]]:
    """Jobs with a step that runs under a lease which ended before `before`."""
    held = (
        select(StepRow.job, StepRow.name)
        .join(JobRow, JobRow.id == StepRow.job)
        .where(StepRow.status == StepStatus.RUNNING, StepRow.lease_until < before, idle(before))
        .order_by(StepRow.lease_until)
        .limit(limit)
    )
    for job, name in db.execute(held):
        yield job, Step(name)


def passed_over(
    db: Session, lane: Lane, before: datetime, drained: Collection[tuple[Step, Lane]]
) -> Iterator[tuple[UUID, Step]]:
    """Jobs whose step has waited since `before`, although nothing is in front of it.

    Either its queue is empty (`drained`), or a job that was queued later has begun the step.
    """
    newest: dict[Step, datetime | None] = {}
    for row in db.execute(_waiting(lane, before)):
        step = Step(row.name)
        if (step, lane) not in drained:
            if step not in newest:
                newest[step] = _newest_begun(db, step, lane)
            passed = newest[step]
            if passed is None or passed <= (row.finished_at or row.created_at) + OVERTAKEN:
                continue
        yield row.id, step


def _waiting(lane: Lane, before: datetime) -> Select[UUID, datetime, str, datetime | None]:
    """The oldest jobs of a lane that wait for a worker, with the step that they wait for."""
    oldest = heads(lane)
    left, last = aliased(StepRow), aliased(StepRow)
    position = (
        select(func.min(left.position))
        .where(left.job == JobRow.id, left.status != StepStatus.DONE)
        .scalar_subquery()
    )
    return (
        select(JobRow.id, JobRow.created_at, StepRow.name, last.finished_at)
        .join(oldest, oldest.c.id == JobRow.id)
        .join(StepRow, (StepRow.job == JobRow.id) & (StepRow.position == position))
        .join(last, (last.job == JobRow.id) & (last.position == position - 1), isouter=True)
        .where(StepRow.status == StepStatus.PENDING, idle(before))
        .order_by(JobRow.created_at)
    )


def _newest_begun(db: Session, step: Step, lane: Lane) -> datetime | None:
    """When the youngest of the jobs that have begun this step lately was put into its queue."""
    begun = (
        select(StepRow.job, StepRow.position)
        .where(StepRow.name == step, StepRow.started_at.is_not(None))
        .order_by(StepRow.started_at.desc())
        .limit(BEGUN)
        .subquery()
    )
    last = aliased(StepRow)
    query = (
        select(func.max(func.coalesce(last.finished_at, JobRow.created_at)))
        .select_from(begun)
        .join(JobRow, JobRow.id == begun.c.job)
        .join(
            last, (last.job == begun.c.job) & (last.position == begun.c.position - 1), isouter=True
        )
        .where(JobRow.lane == lane)
    )
    found: datetime | None = db.scalar(query)
    return found
