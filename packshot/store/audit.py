"""The audit log: who did what, when, to which item. It only grows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from packshot.errors import Refused
from packshot.identity import uuid7
from packshot.store.engine import translated
from packshot.store.people_tables import AuditRow
from packshot.store.persons import AuditEntry, Person

#: Login of what nobody signed in for: the command line, the housekeeper.
SYSTEM = "system"


def note(
    db: Session,
    by: Person | None,
    action: str,
    subject: str,
    *,
    at: datetime,
    job: UUID | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add one entry, in the transaction that does what it tells of."""
    db.add(
        AuditRow(
            id=uuid7(),
            at=at,
            person=by.id if by else None,
            login=by.login if by else SYSTEM,
            action=action,
            subject=subject,
            job=job,
            before=before,
            after=after,
        )
    )


class Audit:
    """Reads of the log, newest first. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._sessions = sessionmaker(engine)

    def page(
        self,
        *,
        after: str | None = None,
        limit: int = 100,
        person: UUID | None = None,
        subject: str | None = None,
        job: UUID | None = None,
    ) -> tuple[tuple[AuditEntry, ...], str | None]:
        """Some entries, and where the next page begins; None at the end.

        Raises `Refused` for an `after` that no page gave out.
        """
        query = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit + 1)
        if person:
            query = query.where(AuditRow.person == person)
        if subject:
            query = query.where(AuditRow.subject == subject)
        if job:
            query = query.where(AuditRow.job == job)
        if after:
            query = query.where(AuditRow.id < position(after))
        with translated(), self._sessions() as db:
            rows = db.scalars(query).all()
        entries = tuple(_entry(row) for row in rows[:limit])
        return entries, (entries[-1].id.hex if len(rows) > limit else None)


def position(text: str) -> UUID:
    """Read a position in a list that is ordered by id. Raises `Refused` for text that is none."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Refused("This is no position in the list: start at its head.") from error


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        person=row.person,
        login=row.login,
        action=row.action,
        subject=row.subject,
        job=row.job,
        before=row.before,
        after=row.after,
    )
