"""The heads of the lanes: their oldest unfinished jobs, found at once whatever the backlog."""

from sqlalchemy import Subquery, select

from packshot.contract import Lane
from packshot.store.tables import JobRow, JobStatus

#: How many of a lane are looked at.
HEADS = 500
#: A job that a step may still run for.
UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING)


def heads(lane: Lane) -> Subquery:
    """`id` and `created_at` of the oldest unfinished jobs of a lane; follows their own index."""
    return (
        select(JobRow.id, JobRow.created_at)
        .where(JobRow.lane == lane, JobRow.status.in_(UNFINISHED))
        .order_by(JobRow.created_at)
        .limit(HEADS)
        .subquery()
    )
