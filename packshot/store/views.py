"""What a person or another service may read of a job: frozen views, no rows."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from packshot.contract import Job
from packshot.errors import NotFound
from packshot.store.engine import translated
from packshot.store.tables import ArtifactRow, JobRow, OutboxRow, StepRow


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class StepView(_View):
    """One step: where it is, how often it was tried, what it cost."""

    name: str
    status: str
    attempt: int
    worker: str | None
    reused: bool
    confidence: float | None
    seconds: float | None
    device_seconds: float | None
    cpu_seconds: float | None
    bytes_read: int | None
    bytes_written: int | None
    code: str | None
    message: str | None
    started_at: datetime | None
    finished_at: datetime | None
    result: dict[str, Any] | None


class ArtifactView(_View):
    """One object in the store."""

    step: str
    name: str
    version: int
    key: str
    media_type: str
    bytes: int
    sha256: str


class JobView(_View):
    """One job with its whole way."""

    id: UUID
    source: str
    job_id: str
    sku: str
    lane: str
    status: str
    code: str | None
    message: str | None
    reasons: list[dict[str, Any]] | None
    result: dict[str, Any] | None
    created_at: datetime
    finished_at: datetime | None
    request: Job
    steps: tuple[StepView, ...] = ()
    artifacts: tuple[ArtifactView, ...] = ()
    events: tuple[dict[str, Any], ...] = ()


class Views:
    """All reads of jobs. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._sessions = sessionmaker(engine)

    def job(self, source: str, job_id: str) -> JobView:
        """One job by its producer's name. Raises `NotFound`."""
        with translated(), self._sessions() as db:
            row = db.scalars(
                select(JobRow).where(JobRow.source == source, JobRow.job_id == job_id)
            ).one_or_none()
            if row is None:
                raise NotFound(f"There is no job {source}/{job_id}.")
            return self._view(db, row)

    def by_id(self, row: UUID) -> JobView:
        """One job by our own id, the one in task messages. Raises `NotFound`."""
        with translated(), self._sessions() as db:
            found = db.get(JobRow, row)
            if found is None:
                raise NotFound(f"There is no job {row}.")
            return self._view(db, found)

    def names(self, rows: Collection[UUID]) -> dict[UUID, tuple[str, str, str]]:
        """Source, job_id and status of the jobs among `rows` that exist, in one query."""
        query = select(JobRow.id, JobRow.source, JobRow.job_id, JobRow.status)
        with translated(), self._sessions() as db:
            found = db.execute(query.where(JobRow.id.in_(rows)))
            return {row.id: (row.source, row.job_id, row.status) for row in found}

    def jobs(self, source: str) -> list[JobView]:
        """Every job of one source, oldest first."""
        with translated(), self._sessions() as db:
            rows = db.scalars(select(JobRow).where(JobRow.source == source).order_by(JobRow.id))
            return [self._view(db, row) for row in rows.all()]

    def counts(self, source: str | None = None) -> dict[str, int]:
        """How many jobs are in which status."""
        query = select(JobRow.status, func.count()).group_by(JobRow.status)
        if source:
            query = query.where(JobRow.source == source)
        with translated(), self._sessions() as db:
            return {row[0]: row[1] for row in db.execute(query)}

    @staticmethod
    def _view(db: Session, row: JobRow) -> JobView:
        steps = db.scalars(
            select(StepRow).where(StepRow.job == row.id).order_by(StepRow.position)
        ).all()
        artifacts = db.scalars(
            select(ArtifactRow).where(ArtifactRow.job == row.id).order_by(ArtifactRow.id)
        ).all()
        events = db.scalars(
            select(OutboxRow.event).where(OutboxRow.job == row.id).order_by(OutboxRow.id)
        ).all()
        return JobView(
            id=row.id,
            source=row.source,
            job_id=row.job_id,
            sku=row.sku,
            lane=row.lane,
            status=row.status,
            code=row.code,
            message=row.message,
            reasons=row.reasons,
            result=row.result,
            created_at=row.created_at,
            finished_at=row.finished_at,
            request=Job.kept(row.request),
            steps=tuple(StepView.model_validate(step) for step in steps),
            artifacts=tuple(ArtifactView.model_validate(one) for one in artifacts),
            events=tuple(events),
        )
