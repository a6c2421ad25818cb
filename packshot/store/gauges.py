"""What the exporter reads of the ledger: cheap whatever its size, since every query is bounded.

Each one follows an index and stops after so many rows, so that a million jobs cost what a thousand
do. Counts are therefore exact up to `COUNTED` and stand still above it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from packshot.clock import utc_now
from packshot.contract import Lane, Step
from packshot.store.engine import translated
from packshot.store.heads import heads
from packshot.store.tables import JobRow, OutboxRow, ReviewRow, StepRow, StepStatus

#: Finished steps that the cost of one is measured over.
SAMPLE = 300
#: Counts end here.
COUNTED = 100_000

#: `claimed` items are with a person, and still wait for the decision.
_UNDECIDED = ("open", "claimed")


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait, and the age of the oldest, in seconds (0 for none)."""

    count: int
    age: float


class Gauges:
    """Reads. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._sessions = sessionmaker(engine)

    def seconds(self, step: Step) -> list[float]:
        """What the last deliveries of a step took, known results among them."""
        last = (
            select(StepRow.seconds)
            .where(StepRow.name == step, StepRow.started_at.is_not(None))
            .order_by(StepRow.started_at.desc())
            .limit(SAMPLE)
        )
        with translated(), self._sessions() as db:
            return [found for found in db.scalars(last) if found is not None]

    def oldest(self) -> dict[tuple[Step, Lane], float]:
        """Age of the oldest unfinished job by the step that it waits for, of each lane's oldest."""
        found: dict[tuple[Step, Lane], float] = {}
        with translated(), self._sessions() as db:
            now = _now(db)
            for lane in Lane:
                for step, since in self._heads(db, lane):
                    age = max(0.0, (now - since).total_seconds())
                    found[step, lane] = max(age, found.get((step, lane), 0.0))
        return found

    @staticmethod
    def _heads(db: Session, lane: Lane) -> list[tuple[Step, datetime]]:
        oldest = heads(lane)
        waiting = (
            select(oldest.c.id, oldest.c.created_at, StepRow.name)
            .join(StepRow, StepRow.job == oldest.c.id)
            .where(StepRow.status != StepStatus.DONE)
            .order_by(oldest.c.id, StepRow.position)
        )
        first: dict[Any, tuple[Step, datetime]] = {}
        for job, since, name in db.execute(waiting):
            first.setdefault(job, (Step(name), since))
        return list(first.values())

    def running(self) -> dict[tuple[Step, Lane], int]:
        """Steps that a worker holds."""
        held = (
            select(StepRow.name, JobRow.lane, func.count())
            .join(JobRow, JobRow.id == StepRow.job)
            .where(StepRow.status == StepStatus.RUNNING)
            .group_by(StepRow.name, JobRow.lane)
        )
        with translated(), self._sessions() as db:
            return {(Step(name), Lane(lane)): count for name, lane, count in db.execute(held)}

    def reviews(self) -> dict[Lane, Waiting]:
        """Jobs that wait for a person, by lane."""
        undecided = (
            select(ReviewRow.lane, ReviewRow.created_at)
            .where(ReviewRow.status.in_(_UNDECIDED))
            .order_by(ReviewRow.created_at)
            .limit(COUNTED)
            .subquery()
        )
        query = select(undecided.c.lane, func.count(), func.min(undecided.c.created_at))
        with translated(), self._sessions() as db:
            rows = {Lane(row[0]): row for row in db.execute(query.group_by(undecided.c.lane))}
            return {lane: _waiting(db, rows.get(lane, (lane, 0, None))) for lane in Lane}

    def outbox(self) -> Waiting:
        """Events that are not published yet."""
        waiting = (
            select(OutboxRow.created_at)
            .where(OutboxRow.published_at.is_(None))
            .order_by(OutboxRow.created_at)
            .limit(COUNTED)
            .subquery()
        )
        query = select(func.count(), func.min(waiting.c.created_at)).select_from(waiting)
        with translated(), self._sessions() as db:
            count, since = db.execute(query).one()
            return _waiting(db, ("outbox", count, since))


def robust_mean(values: list[float], *, tail: float = 0.05) -> float | None:
    """The mean after the extreme `tail` at each end is pulled in to what lies beside it.

    A mean, since queued messages are multiplied by it; one hung step of two minutes among fifty of
    50 ms must not make the fleet thirty times as large.
    """
    if not values:
        return None
    ordered = sorted(values)
    cut = int(len(ordered) * tail) or (1 if len(ordered) > 2 else 0)
    low, high = ordered[cut], ordered[-1 - cut]
    return sum(min(max(value, low), high) for value in ordered) / len(ordered)


def costs(gauges: Gauges) -> Mapping[Step, float | None]:
    """Seconds that one delivery of each step takes; None where none was done yet."""
    return {step: robust_mean(gauges.seconds(step)) for step in Step}


def _now(db: Session) -> datetime:
    """The database's own clock, where it has one."""
    if db.get_bind().dialect.name == "postgresql":
        now: datetime = db.execute(select(func.now())).scalar_one()
        return now
    return utc_now()


def _waiting(db: Session, row: Any) -> Waiting:
    _, count, since = row
    age = (_now(db) - since).total_seconds() if since else 0.0
    return Waiting(count, max(0.0, age))
