"""The ledger's tables. Alembic's migrations are the truth in production; a test compares both."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from packshot.store.people_tables import AttemptRow, AuditRow, PersonRow, SessionRow, SkipRow
from packshot.store.review_tables import ReasonRow, ReviewRow
from packshot.store.schema import Base

__all__ = [
    "SETTLED",
    "ArtifactRow",
    "AttemptRow",
    "AuditRow",
    "Base",
    "JobRow",
    "JobStatus",
    "OutboxRow",
    "PersonRow",
    "ReasonRow",
    "ReviewRow",
    "SessionRow",
    "SkipRow",
    "StepRow",
    "StepStatus",
]


class JobStatus(StrEnum):
    """Where a job is. The last four are final; `review` waits for a person.

    `rejected` is a person's no; `failed` is a step's.
    """

    QUEUED = "queued"
    RUNNING = "running"
    REVIEW = "review"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


#: Nothing runs any more for a job in one of these.
SETTLED = (
    JobStatus.REVIEW,
    JobStatus.ACCEPTED,
    JobStatus.REJECTED,
    JobStatus.FAILED,
    JobStatus.CANCELLED,
)


class StepStatus(StrEnum):
    """Where one step of a job is."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class JobRow(Base):
    """One job, identified by (source, job_id)."""

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("source", "job_id"),
        Index("ix_jobs_status_created_at", "status", "created_at"),
        Index("ix_jobs_sku", "sku"),
        Index(
            "ix_jobs_words",
            text("array_to_tsvector(string_to_array(words, ' '))"),
            postgresql_using="gin",
        ).ddl_if(dialect="postgresql"),
        Index(
            "ix_jobs_unfinished",
            "lane",
            "created_at",
            postgresql_where=text("status IN ('queued', 'running')"),
            sqlite_where=text("status IN ('queued', 'running')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    job_id: Mapped[str] = mapped_column(String(256))
    sku: Mapped[str] = mapped_column(String(128))
    lane: Mapped[str] = mapped_column(String(8))
    status: Mapped[str] = mapped_column(String(16))
    request: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))
    pipeline: Mapped[str] = mapped_column(String(32))
    result: Mapped[dict[str, Any] | None]
    reasons: Mapped[list[Any] | None]
    audit_probability: Mapped[float | None]
    policy: Mapped[str | None] = mapped_column(String(64))
    words: Mapped[str | None]
    code: Mapped[str | None] = mapped_column(String(64))
    message: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    nudged_at: Mapped[datetime | None]


class StepRow(Base):
    """One step of one job. `fence` grows with every begin: only its latest holder may commit."""

    __tablename__ = "steps"
    __table_args__ = (
        Index("ix_steps_input_key", "input_key"),
        Index("ix_steps_name_started_at", "name", "started_at"),
        Index(
            "ix_steps_running",
            "lease_until",
            postgresql_where=text("status = 'running'"),
            sqlite_where=text("status = 'running'"),
        ),
    )

    job: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    position: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    attempt: Mapped[int]
    fence: Mapped[int]
    worker: Mapped[str | None] = mapped_column(String(255))
    #: The step whose message its latest attempt was begun under: its own, or an earlier one's.
    carrier: Mapped[str | None] = mapped_column(String(16))
    lease_until: Mapped[datetime | None]
    input_key: Mapped[str | None] = mapped_column(String(64))
    reused: Mapped[bool]
    #: What a person said about this step's result; its next run obeys.
    correction: Mapped[dict[str, Any] | None]
    result: Mapped[dict[str, Any] | None]
    confidence: Mapped[float | None]
    code: Mapped[str | None] = mapped_column(String(64))
    message: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    seconds: Mapped[float | None]
    #: What the attempt that finished it has spent; see packshot.meter.Cost.
    device_seconds: Mapped[float | None]
    cpu_seconds: Mapped[float | None]
    bytes_read: Mapped[int | None] = mapped_column(BigInteger)
    bytes_written: Mapped[int | None] = mapped_column(BigInteger)


class ArtifactRow(Base):
    """One object in the store that belongs to a job; a new version never overwrites an old one."""

    __tablename__ = "artifacts"
    __table_args__ = (UniqueConstraint("job", "name", "version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    job: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    step: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]
    key: Mapped[str] = mapped_column(String(1024))
    media_type: Mapped[str] = mapped_column(String(64))
    bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class OutboxRow(Base):
    """One event, written in the transaction that changed the job and published afterwards."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_job", "job"),
        Index(
            "ix_outbox_waiting",
            "created_at",
            "id",
            postgresql_where=text("published_at IS NULL"),
            sqlite_where=text("published_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    job: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(String(32))
    event: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
