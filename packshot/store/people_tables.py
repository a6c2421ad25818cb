"""The tables of people: accounts, sessions, failed sign-ins, skipped items, and the audit log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from packshot.store.schema import Base


class PersonRow(Base):
    """One account. `password` is an argon2 hash; logins are lower case."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("login"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(128))
    role: Mapped[str] = mapped_column(String(16))
    locale: Mapped[str] = mapped_column(String(8))
    password: Mapped[str] = mapped_column(String(256))
    disabled: Mapped[bool]
    created_at: Mapped[datetime]


class SessionRow(Base):
    """One session, API token or one-time link (`kind`); of its secret only the hash is kept."""

    __tablename__ = "sessions"
    __table_args__ = (
        Index("ix_sessions_person", "person"),
        Index("ix_sessions_expires_at", "expires_at"),
    )

    secret: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(64))
    csrf: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class AttemptRow(Base):
    """Failed sign-ins under one name (`login:…` or `from:…`) since `since`."""

    __tablename__ = "sign_in_attempts"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    failures: Mapped[int]
    since: Mapped[datetime]


class SkipRow(Base):
    """Somebody passed over an item: it is not offered to this person for a while."""

    __tablename__ = "skips"

    person: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    review: Mapped[UUID] = mapped_column(
        ForeignKey("reviews.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime]


class AuditRow(Base):
    """One thing that somebody did. Rows are only ever added; a trigger refuses anything else.

    No foreign keys: the log outlives what it tells of.
    """

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_subject", "subject", "id"),
        Index("ix_audit_person", "person", "id"),
        Index("ix_audit_job", "job", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    person: Mapped[UUID | None]
    login: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(128))
    job: Mapped[UUID | None]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
