"""The review queue as people see it: pages in order of urgency, counts, look-alikes.

A page is found by the position behind the one before (keyset), so that the tenth costs what the
first does, and nothing is shown twice because something was decided meanwhile.
"""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Select, exists, func, select, tuple_
from sqlalchemy.orm import Session

from packshot.clock import Clock
from packshot.contract import Lane
from packshot.errors import NotFound
from packshot.results import Category, Signal
from packshot.store.base import LedgerBase
from packshot.store.enqueue import PRIORITY
from packshot.store.facets import facets
from packshot.store.review_items import (
    COUNT_LIMIT,
    Count,
    Facets,
    Filters,
    Item,
    Page,
    ReviewStatus,
    decode_cursor,
    encode_cursor,
)
from packshot.store.tables import JobRow, ReasonRow, ReviewRow, SkipRow

#: How long a reviewer may hold an item without a sign of life.
LEASE = timedelta(minutes=5)
#: How long a skipped item is not offered to the one who skipped it.
SKIPPED_FOR = timedelta(hours=12)
#: How old the facets' counts may be.
FACETS_AGE = timedelta(seconds=10)


class Queue(LedgerBase):
    """All reads of the queue. Thread-safe."""

    def __init__(
        self, engine: Engine, *, lease: timedelta = LEASE, clock: Clock | None = None
    ) -> None:
        """Take the database; a `clock` replaces the database's own in tests."""
        super().__init__(engine, pipeline="", lease=lease, clock=clock)
        self._facets: Facets | None = None
        self._facets_lock = threading.Lock()

    def page(
        self, filters: Filters | None = None, *, after: str | None = None, limit: int = 50
    ) -> Page:
        """Some items, the most urgent first. Raises `Refused` for an `after` no page gave out."""
        filters = filters or Filters()
        with self._transaction() as db:
            query = self._filtered(db, _shown(), filters)
            if after:
                query = query.where(tuple_(*place(filters)) > decode_cursor(after))
            query = query.order_by(*place(filters)).limit(limit + 1)
            rows = db.execute(query).all()
        items = tuple(_item(row) for row in rows[:limit])
        more = rows[limit - 1][0] if len(rows) > limit else None
        cursor = encode_cursor(more.priority, more.due_at, more.id) if more else None
        return Page(items, cursor)

    def get(self, review: UUID) -> Item:
        """One item. Raises `NotFound`."""
        with self._transaction() as db:
            return self._get(db, review)

    def of_job(self, job: UUID) -> tuple[Item, ...]:
        """Every item that a job has had, oldest first."""
        query = _shown().where(ReviewRow.job == job).order_by(ReviewRow.id)
        with self._transaction() as db:
            return tuple(_item(row) for row in db.execute(query))

    def count(self, filters: Filters | None = None) -> Count:
        """How many items the filters leave, counted up to `COUNT_LIMIT`."""
        with self._transaction() as db:
            some = self._filtered(db, select(ReviewRow.id), filters or Filters())
            query = select(func.count()).select_from(some.limit(COUNT_LIMIT + 1).subquery())
            number = db.scalar(query) or 0
        return Count(min(number, COUNT_LIMIT), more=number > COUNT_LIMIT)

    def facets(self) -> Facets:
        """What can be filtered by, with exact counts that are at most `FACETS_AGE` old."""
        with self._facets_lock, self._transaction() as db:
            now, held = self._now(db), self._facets
            if held is None or held.at is None or now - held.at >= FACETS_AGE:
                held = self._facets = replace(facets(db), at=now)
            return held

    def alike(self, review: UUID, *, limit: int = 50) -> tuple[Item, ...]:
        """Open items that can be accepted together: same source, category and reasons."""
        one = self.get(review)
        same = Filters(
            source=one.source, category=one.category.id if one.category else None, lane=one.lane
        )
        codes = {signal.code for signal in one.reasons}
        # The reasons are compared here: among items of one source and category most are the same.
        page = self.page(same, limit=limit * 4)
        return tuple(
            item
            for item in page.items
            if item.id != one.id and {signal.code for signal in item.reasons} == codes
        )[:limit]

    def _filtered(self, db: Session, query: Select[Any], filters: Filters) -> Select[Any]:
        now = self._now(db)
        query = query.where(_status(filters))
        if filters.held_by:
            query = query.where(ReviewRow.holder == filters.held_by)
        if filters.reason:
            query = query.join(ReasonRow, ReasonRow.review == ReviewRow.id)
            query = query.where(ReasonRow.code == filters.reason)
        if filters.lane:
            query = query.where(place(filters)[0] == PRIORITY[filters.lane])
        for column, value in (
            (ReviewRow.category, filters.category),
            (ReviewRow.sku, filters.sku),
            (ReviewRow.source, filters.source),
        ):
            if value is not None:
                query = query.where(column == value)
        if filters.older_than:
            query = query.where(ReviewRow.created_at <= now - filters.older_than)
        if filters.younger_than:
            query = query.where(ReviewRow.created_at > now - filters.younger_than)
        if filters.confidence_from is not None:
            query = query.where(ReviewRow.confidence >= filters.confidence_from)
        if filters.confidence_below is not None:
            query = query.where(func.coalesce(ReviewRow.confidence, 0) < filters.confidence_below)
        return query.where(~_skipped(filters.offered_to, now)) if filters.offered_to else query

    @staticmethod
    def _get(db: Session, review: UUID) -> Item:
        row = db.execute(_shown().where(ReviewRow.id == review)).one_or_none()
        if row is None:
            raise NotFound(f"There is no item {review} in the review queue.")
        return _item(row)


def place(filters: Filters) -> tuple[Any, Any, Any]:
    """The place in the order; of the reasons' table where that one leads the search."""
    if filters.reason:
        return ReasonRow.priority, ReasonRow.due_at, ReasonRow.review
    return ReviewRow.priority, ReviewRow.due_at, ReviewRow.id


def _status(filters: Filters) -> Any:
    if filters.held_by:
        return ReviewRow.status == ReviewStatus.CLAIMED
    if filters.with_held:
        return ReviewRow.status.in_((ReviewStatus.OPEN, ReviewStatus.CLAIMED))
    return ReviewRow.status == ReviewStatus.OPEN


def _skipped(person: UUID, now: datetime) -> Any:
    return exists().where(
        SkipRow.person == person,
        SkipRow.review == ReviewRow.id,
        SkipRow.at > now - SKIPPED_FOR,
    )


def _shown() -> Select[Any]:
    """A row with what the list shows of its job: paths into the result, which is large."""
    result = JobRow.result
    return select(
        ReviewRow,
        JobRow.source,
        JobRow.job_id,
        JobRow.sku,
        result[("recognition", "categories", 0)].label("category"),
        result[("photo", "work_key")].as_string().label("photo"),
        result[("matte", "cutout_key")].as_string().label("cutout"),
    ).join(JobRow, JobRow.id == ReviewRow.job)


def _item(row: Sequence[Any]) -> Item:
    found, source, job_id, sku, category, photo, cutout = row
    review: ReviewRow = found
    due_at: datetime = review.due_at
    return Item(
        id=review.id,
        job=review.job,
        status=ReviewStatus(review.status),
        version=review.version,
        lane=Lane(review.lane),
        source=source,
        job_id=job_id,
        sku=sku,
        reasons=tuple(Signal.model_validate(one) for one in review.reasons),
        confidence=review.confidence,
        category=Category.model_validate(category) if category else None,
        photo=photo,
        cutout=cutout,
        created_at=review.created_at,
        due_at=due_at,
        policy=review.policy,
        holder=review.holder,
        lease_until=review.lease_until,
        decided_at=review.decided_at,
        decided_by=review.decided_by,
        decision=review.decision,
    )
