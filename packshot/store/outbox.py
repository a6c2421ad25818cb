"""The outbox: events are written with the change they tell of, and published afterwards.

A relay that dies between publishing and marking publishes again: at least once, under the same id.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, Select, bindparam, exists, func, select, tuple_
from sqlalchemy.orm import aliased, sessionmaker

from packshot.clock import Clock, utc_now
from packshot.store.engine import translated
from packshot.store.tables import OutboxRow

#: Publishes one event (type, JSON) and returns once it is safe; raises to leave it in the outbox.
Publish = Callable[[str, dict[str, Any]], None]

#: Events in one transaction: few enough that a lost connection repeats little.
BATCH = 50


def _oldest() -> Select[OutboxRow]:
    """The oldest waiting event of each job, `room` of them at most, locked."""
    before = aliased(OutboxRow)
    overtakes = exists().where(
        before.job == OutboxRow.job,
        before.published_at.is_(None),
        tuple_(before.created_at, before.id) < tuple_(OutboxRow.created_at, OutboxRow.id),
    )
    return (
        select(OutboxRow)
        .where(OutboxRow.published_at.is_(None), ~overtakes)
        .order_by(OutboxRow.created_at, OutboxRow.id)
        .limit(bindparam("room"))
        .with_for_update(skip_locked=True, of=OutboxRow)
    )


#: Built once: a relay asks after every job.
OLDEST = _oldest()


class Outbox:
    """Events that wait. Many relays may run at once: each row is locked by one."""

    def __init__(self, engine: Engine, *, clock: Clock = utc_now) -> None:
        self._sessions = sessionmaker(engine)
        self._clock = clock

    def relay(self, publish: Publish) -> int:
        """Publish one batch, oldest first; returns how many went out.

        With fewer than `BATCH` the outbox was empty at the end. What was published before an error
        stays marked; the rest waits for the next call. Of each job only the oldest event can be
        taken, and the next one when that is marked: in the hands of another relay it could
        overtake.
        """
        with translated(), self._sessions() as db:
            sent = 0
            try:
                while rows := db.scalars(OLDEST, {"room": BATCH - sent}).all():
                    for row in rows:
                        publish(row.type, row.event)
                        row.published_at = self._clock()
                        sent += 1
            finally:
                db.commit()
            return sent

    def waiting(self) -> int:
        """How many events are not published yet."""
        with translated(), self._sessions() as db:
            query = select(func.count()).where(OutboxRow.published_at.is_(None))
            return db.scalar(query.select_from(OutboxRow)) or 0
