"""Exact counts over the open queue, by everything that it can be filtered by."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from packshot.store.review_items import Facet, Facets, ReviewStatus
from packshot.store.tables import JobRow, ReasonRow, ReviewRow

#: Values of one facet that are offered: the most frequent ones.
OFFERED = 40


def facets(db: Session) -> Facets:
    """Count everything; linear in the number of open items."""
    by_status = dict(
        db.execute(
            select(ReviewRow.status, func.count())
            .where(ReviewRow.status.in_((ReviewStatus.OPEN, ReviewStatus.CLAIMED)))
            .group_by(ReviewRow.status)
        ).all()
    )
    return Facets(
        open=by_status.get(ReviewStatus.OPEN, 0),
        claimed=by_status.get(ReviewStatus.CLAIMED, 0),
        reasons=_reasons(db),
        lanes=_plain(db, ReviewRow.lane),
        sources=_plain(db, ReviewRow.source),
        categories=_categories(db),
    )


def _plain(db: Session, column: Any) -> tuple[Facet, ...]:
    return tuple(
        Facet(value, value, value, count)
        for value, count in db.execute(_counted(column))
        if value is not None
    )


def _reasons(db: Session) -> tuple[Facet, ...]:
    count = func.count()
    query = select(ReasonRow.code, count).group_by(ReasonRow.code).order_by(count.desc())
    return tuple(Facet(code, code, code, number) for code, number in db.execute(query))


def _categories(db: Session) -> tuple[Facet, ...]:
    found = []
    for number, count in db.execute(_counted(ReviewRow.category)).all():
        if number is None:
            continue
        example = (
            select(JobRow.result[("recognition", "categories", 0)])
            .join(ReviewRow, ReviewRow.job == JobRow.id)
            .where(ReviewRow.status == ReviewStatus.OPEN, ReviewRow.category == number)
            .limit(1)
        )
        label = db.scalar(example) or {}
        found.append(
            Facet(str(number), label.get("en", str(number)), label.get("zh", str(number)), count)
        )
    return tuple(found)


def _counted(column: Any) -> Any:
    count = func.count()
    return (
        select(column, count)
        .where(ReviewRow.status == ReviewStatus.OPEN)
        .group_by(column)
        .order_by(count.desc())
        .limit(OFFERED)
    )
