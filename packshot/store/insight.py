"""What the review tells: how fast it goes, what waits, and how often the machine is wrong.

Rates come with Wilson's interval (Wilson, JASA 22, 1927), which holds for small counts and for
rates near 0. The share of accepted jobs that are wrong is estimated from the audit sample: each
audited job stands for 1 / p others, p being the probability with which it was drawn (Horvitz and
Thompson, JASA 47, 1952), divided by the sum of these weights (Hájek, 1971), since some of the
sample is not decided yet. Its interval is Wilson's with Kish's effective sample size (Kish, Survey
Sampling, 1965; the approach of Korn and Graubard, Survey Methodology 24, 1998).
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from packshot.clock import Clock
from packshot.contract import Lane
from packshot.store.base import LedgerBase
from packshot.store.corrections import STEP_OF
from packshot.store.review_items import Decision, ReviewStatus
from packshot.store.tables import JobRow, JobStatus, ReviewRow

#: Standard normal quantile of a two-sided interval of 95 %.
Z95 = 1.959964
#: Where a step's part lies in a result.
_PARTS = {"text": "text", "category": "recognition", "brand": "recognition",
          "model": "recognition", "matte": "matte"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hour:
    """Decisions of one person in the hour that begins at `at`; `seconds` is their sum, if told."""

    at: datetime
    person: UUID | None
    decisions: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Oldest:
    """Since when the oldest undecided item of a lane waits; None where nothing waits."""

    lane: Lane
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something was wrong among what people decided, with a 95 % interval."""

    kind: Literal["field", "category", "model"]
    name: str
    wrong: int
    total: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimated share of accepted jobs that are wrong; None while nothing was audited.

    `population` counts the jobs that could have been drawn, `drawn` those that were, `decided`
    those of them that somebody has looked at.
    """

    rate: float | None
    low: float
    high: float
    wrong: int
    decided: int
    drawn: int
    population: int


class Insight(LedgerBase):
    """All reads about the review as a whole. Thread-safe."""

    def __init__(self, engine: Engine, *, clock: Clock | None = None) -> None:
        """Take the database; a `clock` replaces the database's own in tests."""
        super().__init__(engine, pipeline="", clock=clock)

    def throughput(self, since: datetime) -> tuple[Hour, ...]:
        """Decisions per hour and person, oldest hour first."""
        with self._transaction() as db:
            hour = _hour(db)
            query = (
                select(hour, ReviewRow.decided_by, func.count(), func.sum(ReviewRow.seconds))
                .where(ReviewRow.status == ReviewStatus.DECIDED, ReviewRow.decided_at >= since)
                .group_by(hour, ReviewRow.decided_by)
                .order_by(hour)
            )
            return tuple(Hour(_moment(at), *rest) for at, *rest in db.execute(query))

    def oldest(self) -> tuple[Oldest, ...]:
        """Since when the oldest undecided item of each lane waits."""
        with self._transaction() as db:
            return tuple(Oldest(lane, self._oldest(db, lane)) for lane in Lane)

    def corrections(self, since: datetime) -> tuple[Rate, ...]:
        """How often each field was corrected: in all, by the model, and for category by class."""
        wrong: Counter[tuple[Any, str]] = Counter()
        total: Counter[tuple[Any, str]] = Counter()
        with self._transaction() as db:
            for names, corrected in self._decided_fields(db, since):
                for field, kind, name in names:
                    total[kind, name] += 1
                    wrong[kind, name] += field in corrected
        return tuple(
            Rate(kind, name, wrong[kind, name], count, wrong[kind, name] / count,
                 *wilson(wrong[kind, name], count))
            for (kind, name), count in sorted(total.items())
        )  # fmt: skip

    def accepted_but_wrong(self, since: datetime) -> Estimate:
        """How many of the jobs that nobody would have looked at are wrong."""
        could_be_drawn = (JobRow.audit_probability > 0, JobRow.created_at >= since)
        with self._transaction() as db:
            population = db.scalar(select(func.count()).where(*could_be_drawn)) or 0
            sample = db.execute(
                select(JobRow.audit_probability, ReviewRow.decision)
                .join(JobRow, JobRow.id == ReviewRow.job)
                .where(*could_be_drawn)
            ).all()
        looked_at = [(1 / p, said["decision"] != Decision.APPROVED) for p, said in sample if said]
        wrong = sum(is_wrong for _, is_wrong in looked_at)
        counts = (wrong, len(looked_at), len(sample), population)
        if not looked_at:
            return Estimate(None, 0.0, 1.0, *counts)
        weight = math.fsum(w for w, _ in looked_at)
        rate = math.fsum(w for w, is_wrong in looked_at if is_wrong) / weight
        effective = weight**2 / math.fsum(w**2 for w, _ in looked_at)
        return Estimate(rate, *wilson(rate * effective, effective), *counts)

    @staticmethod
    def _oldest(db: Session, lane: Lane) -> datetime | None:
        found = [
            db.scalar(
                select(ReviewRow.created_at)
                .where(ReviewRow.status == status, ReviewRow.lane == lane)
                .order_by(ReviewRow.created_at)
                .limit(1)
            )
            for status in (ReviewStatus.OPEN, ReviewStatus.CLAIMED)
        ]
        return min((at for at in found if at), default=None)

    @staticmethod
    def _decided_fields(
        db: Session, since: datetime
    ) -> Iterator[tuple[list[tuple[str, str, str]], frozenset[str]]]:
        """Per decided item: the fields it had, under each name, and which of them were wrong."""
        query = (
            select(
                ReviewRow.decision,
                JobRow.result[("recognition", "categories", 0, "en")].as_string(),
                *(JobRow.result[(part, "models")] for part in dict.fromkeys(_PARTS.values())),
            )
            .join(JobRow, JobRow.id == ReviewRow.job)
            .where(ReviewRow.status == ReviewStatus.DECIDED, ReviewRow.decided_at >= since)
            .where(JobRow.status == JobStatus.ACCEPTED)
            .execution_options(yield_per=500)
        )
        for decision, category, *models in db.execute(query):
            parts = dict(zip(dict.fromkeys(_PARTS.values()), models, strict=True))
            names: list[tuple[str, str, str]] = []
            before = decision.get("before", {}).get("category")
            for field in STEP_OF:
                if parts[_PARTS[field]] is None:
                    continue
                names.append((field, "field", field))
                names += [(field, "model", f"{field}: {one['name']}")
                          for one in parts[_PARTS[field]]]  # fmt: skip
            if category:
                names.append(("category", "category", before["en"] if before else category))
            yield names, frozenset(decision["corrected"])


def wilson(wrong: float, total: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a rate; `total` may be an effective, fractional size."""
    if total <= 0:
        return 0.0, 1.0
    rate, square = wrong / total, Z95**2
    middle = (rate + square / (2 * total)) / (1 + square / total)
    spread = Z95 * math.sqrt(rate * (1 - rate) / total + square / (4 * total**2))
    half = spread / (1 + square / total)
    return max(0.0, middle - half), min(1.0, middle + half)


def _hour(db: Session) -> Any:
    if db.get_bind().dialect.name == "postgresql":
        return func.date_trunc("hour", ReviewRow.decided_at, "UTC")
    return func.strftime("%Y-%m-%dT%H:00:00+00:00", ReviewRow.decided_at)


def _moment(at: Any) -> datetime:
    return datetime.fromisoformat(at) if isinstance(at, str) else at
