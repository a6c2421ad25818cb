"""What every part of the ledger stands on: transactions, one order of locks, one clock, events."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from packshot import tracing
from packshot.clock import Clock, utc_now
from packshot.contract import Event, EventType, Job
from packshot.errors import NotFound, PackshotError
from packshot.identity import uuid7
from packshot.jsontext import escaped
from packshot.store.engine import translated
from packshot.store.statements import (
    BY_CALLER,
    BY_DATABASE,
    INSERT_ARTIFACT_VERSION,
    INSERT_EVENT,
)
from packshot.store.tables import JobRow, JobStatus, StepRow, StepStatus
from packshot.store.tickets import Artifact

#: Longest sentence of a failure that is kept (characters).
SENTENCE_CHARS = 2000


class LedgerBase:
    """Every method of the ledger is one transaction that locks the job's row before anything else.

    One order of locks means no deadlocks. Time is the database's own: leases are compared by many
    machines, and the clock of one of them may be wrong.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        pipeline: str,
        lease: timedelta = timedelta(seconds=30),
        max_attempts: int = 3,
        clock: Clock | None = None,
    ) -> None:
        """Take the database; a `clock` replaces the database's own in tests."""
        self._engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._pipeline = pipeline
        self._lease = lease
        self._max_attempts = max_attempts
        self._clock = clock
        remote = clock is None and engine.dialect.name == "postgresql"
        self._timed = BY_DATABASE if remote else BY_CALLER

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with translated(), self._sessions.begin() as session:
            yield session

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A transaction without the ORM, for what every step does."""
        with translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _session(self, within: Connection, now: datetime | None = None) -> Iterator[Session]:
        """The ORM inside a transaction that is open already; `now` is its moment, where known."""
        with Session(within, expire_on_commit=False) as session:
            if now is not None:
                session.info["now"] = now
            yield session
            session.flush()

    def _this(self, job_id: UUID) -> dict[str, Any]:
        """The parameters of the `_timed` statements: no question to a database that has a clock."""
        if self._timed is BY_DATABASE:
            return {"of_job": job_id}
        return {"of_job": job_id, "now": (self._clock or utc_now)()}

    def _now(self, db: Session) -> datetime:
        """The moment of this transaction: the same however often it is asked."""
        if self._clock is not None:
            return self._clock()
        if "now" not in db.info:
            remote = db.get_bind().dialect.name == "postgresql"
            db.info["now"] = db.scalar(select(func.now())) if remote else utc_now()
        now: datetime = db.info["now"]
        return now

    @staticmethod
    def _lock(db: Session, job_id: UUID) -> JobRow:
        row = db.scalars(select(JobRow).where(JobRow.id == job_id).with_for_update()).one_or_none()
        if row is None:
            raise NotFound(f"There is no job {job_id}.")
        return row

    @staticmethod
    def _steps(db: Session, job_id: UUID) -> list[StepRow]:
        rows = select(StepRow).where(StepRow.job == job_id).order_by(StepRow.position)
        return list(db.scalars(rows))

    @staticmethod
    def _find(db: Session, source: str, job_id: str) -> JobRow | None:
        return db.scalars(
            select(JobRow).where(JobRow.source == source, JobRow.job_id == job_id)
        ).one_or_none()

    def _named(self, db: Session, source: str, job_id: str) -> JobRow:
        row = self._find(db, source, job_id)
        if row is None:
            raise NotFound(f"There is no job {source}/{job_id}.")
        return row

    def _settle_failure(
        self, db: Session, row: JobRow, step: StepRow, job: Job, error: PackshotError
    ) -> None:
        now = self._now(db)
        step.status = StepStatus.FAILED
        step.code = row.code = error.code
        sentence = escaped(str(error), SENTENCE_CHARS)
        step.message = row.message = sentence
        step.finished_at = row.finished_at = row.updated_at = now
        step.lease_until = None
        row.status = JobStatus.FAILED
        data = {"step": step.name, "code": error.code, "message": sentence}
        self._emit(db, row.id, job, EventType.FAILED, data)

    def _add_artifact(self, db: Session, job_id: UUID, step: str, artifact: Artifact) -> int:
        """Add an object under the next version of its name, which is returned."""
        added = artifact_row(job_id, step, artifact, self._now(db))
        version: int = db.scalar(INSERT_ARTIFACT_VERSION, added)
        return version

    def _emit(
        self, db: Session, row: UUID, job: Job, kind: EventType, data: dict[str, Any]
    ) -> None:
        head = {"id": str(row), "source": job.source, "job_id": job.job_id, "sku": job.sku}
        event = Event.of(
            kind,
            event_id=str(uuid7()),
            job=job,
            at=self._now(db),
            data={**head, **data, "metadata": job.metadata},
            traceparent=tracing.current(),
        )
        self._add_event(db, row, event)

    def _add_event(self, db: Session, job_id: UUID | None, event: Event) -> None:
        written = {
            "id": UUID(event.id),
            "job": job_id,
            "type": event.type,
            "event": event.model_dump(mode="json", exclude_none=True),
            "created_at": self._now(db),
        }
        db.execute(INSERT_EVENT, written)


def artifact_row(job_id: UUID, step: str, artifact: Artifact, now: datetime) -> dict[str, Any]:
    """The parameters of `INSERT_ARTIFACT`."""
    return {
        "id": uuid7(),
        "of_job": job_id,
        "step": step,
        "of_name": artifact.name,
        "key": artifact.key,
        "media_type": artifact.media_type,
        "bytes": artifact.bytes,
        "sha256": artifact.sha256,
        "created_at": now,
    }
