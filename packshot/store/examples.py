"""Decided items as training data: what the machine said, what a person said, and who it was."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select, tuple_
from sqlalchemy.orm import sessionmaker

from packshot.store.engine import translated
from packshot.store.review_items import ReviewStatus
from packshot.store.tables import JobRow, JobStatus, ReviewRow

#: Items read in one transaction: their results are large, and an export takes long.
BATCH = 100


@dataclass(frozen=True, slots=True)
class Example:
    """One decided item. `result` is the job's result as the decision left it.

    `before` holds what the machine had said of the `corrected` fields. The other fields of an
    accepted item were seen and left as they were, one by one or, where `bulk`, with others.
    """

    review: UUID
    job: UUID
    source: str
    job_id: str
    sku: str
    decided_at: datetime
    reviewer: UUID | None
    decision: str
    corrected: tuple[str, ...]
    before: dict[str, Any]
    reason: str | None
    bulk: bool
    audit: bool
    policy: str | None
    accepted: bool
    result: dict[str, Any]

    @property
    def name(self) -> str:
        """A name for files: nothing in it comes from a producer."""
        return self.review.hex

    def provenance(self) -> dict[str, Any]:
        """Where this comes from, as JSON."""
        made = self.result.get("provenance") or {}
        return {
            "name": self.name,
            "job": str(self.job),
            "source": self.source,
            "job_id": self.job_id,
            "sku": self.sku,
            "decision": self.decision,
            "corrected": list(self.corrected),
            "reason": self.reason,
            "bulk": self.bulk,
            "audit": self.audit,
            "decided_at": self.decided_at.isoformat(),
            "reviewer": str(self.reviewer) if self.reviewer else None,
            "policy": self.policy,
            "pipeline": made.get("pipeline"),
            "models": made.get("models", []),
        }


class Examples:
    """Reads decided items in the order of their decisions. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._sessions = sessionmaker(engine)

    def each(
        self, *, since: datetime | None = None, corrected_only: bool = False
    ) -> Iterator[Example]:
        """Every item that is decided and settled; a correction counts once its job is done."""
        after: tuple[datetime, UUID] | None = None
        while True:
            rows = self._batch(since, after)
            for review, job in rows:
                example = _example(review, job)
                if example.corrected or not corrected_only:
                    yield example
            if len(rows) < BATCH:
                return
            after = (example.decided_at, example.review)

    def _batch(
        self, since: datetime | None, after: tuple[datetime, UUID] | None
    ) -> list[tuple[ReviewRow, JobRow]]:
        place = tuple_(ReviewRow.decided_at, ReviewRow.id)
        query = (
            select(ReviewRow, JobRow)
            .join(JobRow, JobRow.id == ReviewRow.job)
            .where(
                ReviewRow.status == ReviewStatus.DECIDED,
                JobRow.status.in_((JobStatus.ACCEPTED, JobStatus.REJECTED)),
            )
            .order_by(ReviewRow.decided_at, ReviewRow.id)
            .limit(BATCH)
        )
        if since:
            query = query.where(ReviewRow.decided_at >= since)
        if after:
            query = query.where(place > after)
        with translated(), self._sessions() as db:
            return [(row[0], row[1]) for row in db.execute(query)]


def _example(review: ReviewRow, job: JobRow) -> Example:
    said = review.decision or {}
    assert review.decided_at is not None  # noqa: S101 - of decided items
    return Example(
        review=review.id,
        job=job.id,
        source=job.source,
        job_id=job.job_id,
        sku=job.sku,
        decided_at=review.decided_at,
        reviewer=review.decided_by,
        decision=said.get("decision", ""),
        corrected=tuple(said.get("corrected", ())),
        before=said.get("before", {}),
        reason=said.get("reason"),
        bulk=bool(said.get("bulk")),
        audit=any(one["code"] == "audit" for one in review.reasons),
        policy=review.policy,
        accepted=job.status == JobStatus.ACCEPTED,
        result=job.result or {},
    )
