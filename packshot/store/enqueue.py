"""How a job comes into the review queue: one row, its reasons, and its place in the order."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from packshot.contract import Lane
from packshot.identity import uuid7
from packshot.store.review_items import ReviewStatus
from packshot.store.tables import JobRow, ReasonRow, ReviewRow
from packshot.store.tickets import DUE_IN, Settlement

#: Live items come before bulk ones.
PRIORITY = {Lane.LIVE: 0, Lane.BULK: 1}
#: An item without any certainty is due after this share of the time that a sure one has.
LEAST_TIME = 0.5
#: Rows of an older release that are completed in one transaction.
ADOPTED = 200


def enqueue(db: Session, job: JobRow, end: Settlement, now: datetime) -> None:
    """Put a job that was just settled for review into the queue."""
    row = ReviewRow(
        id=uuid7(),
        job=job.id,
        status=ReviewStatus.OPEN,
        lane=job.lane,
        reasons=list(end.reasons),
        confidence=end.confidence,
        created_at=now,
        policy=end.policy,
        version=0,
    )
    _place(row, job, end.due_in)
    db.add(row)
    db.flush()  # the reasons refer to it
    _index_reasons(db, row)


def adopt(db: Session) -> int:
    """Complete what the release before put into the queue; returns how many items there were."""
    strangers = (
        select(ReviewRow, JobRow)
        .join(JobRow, JobRow.id == ReviewRow.job)
        .where(ReviewRow.status == ReviewStatus.OPEN, ReviewRow.source.is_(None))
        .limit(ADOPTED)
        .with_for_update(skip_locked=True, of=ReviewRow)
    )
    found = db.execute(strangers).all()
    for row, job in found:
        _place(row, job, DUE_IN)
        db.flush()
        _index_reasons(db, row)
    return len(found)


def searchable(job: JobRow, result: Mapping[str, Any]) -> Iterator[str]:
    """The texts that a job is found by."""
    yield from (job.sku, job.job_id)
    recognition = result.get("recognition") or {}
    for name in ("brand", "model"):
        if finding := recognition.get(name):
            yield finding["value"]
    for category in recognition.get("categories", ())[:1]:
        yield from (category["en"], category["zh"])
    if photo := result.get("photo"):
        yield photo["filename"]
    for line in (result.get("text") or {}).get("lines", ()):
        yield line["text"]


def _place(row: ReviewRow, job: JobRow, due_in: timedelta) -> None:
    """Urgency is one deadline: it carries the lane, the age and the uncertainty."""
    certainty = row.confidence if row.confidence is not None else 0.0
    row.priority = PRIORITY[Lane(job.lane)]
    row.due_at = row.created_at + due_in * (LEAST_TIME + (1 - LEAST_TIME) * certainty)
    row.source = job.source
    row.sku = job.sku
    categories = ((job.result or {}).get("recognition") or {}).get("categories")
    row.category = categories[0]["id"] if categories else None


def _index_reasons(db: Session, row: ReviewRow) -> None:
    for code in dict.fromkeys(one["code"] for one in row.reasons):
        db.add(ReasonRow(code=code, priority=row.priority, due_at=row.due_at, review=row.id))
