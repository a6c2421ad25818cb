"""The ledger: what is true about every job, step and attempt. The queue is only transport.

A step's life is begin -> (work) -> commit -> hand on. `begin` says what to do with a delivery:

    RUN      nobody has finished this step: do it, and commit with the fence that was given
    HAND_ON  it is done, but the next step has not begun: publish the next step again
    DROP     the next step has begun, the job is settled, or it was poison: nothing to do

A redelivered message therefore costs one query. Every begin raises the step's fence, and `commit`
is refused for any but the latest fence, so that a worker that was believed dead cannot overwrite
its successor's work. Every write locks the job's row first: one order of locks, no deadlocks.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from packshot.clock import Clock, utc_now
from packshot.contract import Event, EventType, Job, Step
from packshot.errors import Conflict, Fenced, NotFound, PackshotError, Poison
from packshot.identity import uuid7
from packshot.store.engine import translated
from packshot.store.tables import (
    SETTLED,
    ArtifactRow,
    JobRow,
    JobStatus,
    OutboxRow,
    ReviewRow,
    StepRow,
    StepStatus,
)


class Verdict(StrEnum):
    """What to do with a delivered step."""

    RUN = "run"
    HAND_ON = "hand_on"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Submitted:
    """Answer to `submit`. `start` is True while no step of the job has begun."""

    id: UUID
    created: bool
    start: bool


@dataclass(frozen=True, slots=True)
class Ticket:
    """Answer to `begin`: the verdict and, for RUN, everything that the step needs to know."""

    verdict: Verdict
    id: UUID
    step: Step
    job: Job
    created_at: datetime
    fence: int = 0
    attempt: int = 0
    results: Mapping[Step, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Artifact:
    """An object that a step has put into the store."""

    name: str
    key: str
    media_type: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Known:
    """A result that another job with the same input has computed already."""

    result: dict[str, Any]
    confidence: float | None
    artifacts: tuple[Artifact, ...]


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a job ends: the last step brings it, and its commit writes it."""

    status: JobStatus
    result: dict[str, Any]
    reasons: tuple[dict[str, Any], ...]
    confidence: float | None
    audit_probability: float | None
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step found out. `result` is JSON; `reused` says that another job had computed it."""

    result: dict[str, Any]
    confidence: float | None = None
    artifacts: tuple[Artifact, ...] = ()
    seconds: float = 0.0
    input_key: str | None = None
    reused: bool = False
    settlement: Settlement | None = None


class Ledger:
    """All writes to jobs and steps. Thread-safe; every method is one transaction."""

    def __init__(
        self,
        engine: Engine,
        *,
        pipeline: str,
        lease: timedelta = timedelta(minutes=5),
        max_attempts: int = 3,
        clock: Clock = utc_now,
    ) -> None:
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._pipeline = pipeline
        self._lease = lease
        self._max_attempts = max_attempts
        self._clock = clock

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with translated(), self._sessions.begin() as session:
            yield session

    def submit(self, job: Job) -> Submitted:
        """Insert a job, or recognise it. Raises `Conflict` for the same name with other content.

        A repeated message of a settled job publishes its last event again, under the same id.
        """
        try:
            with self._transaction() as db:
                known = self._find(db, job.source, job.job_id)
                return self._repeat(db, known, job) if known else self._insert(db, job)
        except IntegrityError:
            # Two intakes read the same new message; the other one won the unique constraint.
            with self._transaction() as db:
                return self._repeat(db, self._named(db, job.source, job.job_id), job)

    def _insert(self, db: Session, job: Job) -> Submitted:
        now = self._clock()
        row = JobRow(
            id=uuid7(),
            source=job.source,
            job_id=job.job_id,
            sku=job.sku,
            lane=job.lane,
            status=JobStatus.QUEUED,
            request=job.model_dump(mode="json"),
            digest=job.digest(),
            pipeline=self._pipeline,
            created_at=now,
            updated_at=now,
        )
        db.add(row)
        db.flush()  # the steps refer to it
        for position, step in enumerate(job.chain):
            db.add(
                StepRow(
                    job=row.id,
                    name=step,
                    position=position,
                    status=StepStatus.PENDING,
                    attempt=0,
                    fence=0,
                    reused=False,
                )
            )
        return Submitted(row.id, created=True, start=True)

    def _repeat(self, db: Session, row: JobRow, job: Job) -> Submitted:
        if row.digest != job.digest():
            raise Conflict(
                f"Job {job.source}/{job.job_id} was submitted before with other content: "
                "use a new job_id for a new request."
            )
        if row.status in SETTLED:
            last = db.scalars(
                select(OutboxRow).where(OutboxRow.job == row.id).order_by(OutboxRow.id.desc())
            ).first()
            if last:
                last.published_at = None
        return Submitted(row.id, created=False, start=row.status == JobStatus.QUEUED)

    def begin(self, job_id: UUID, step: Step, *, worker: str) -> Ticket:
        """Open an attempt at a step, or say why there is nothing to do.

        Raises `NotFound` for an unknown job.
        """
        with self._transaction() as db:
            row = self._lock(db, job_id)
            steps = self._steps(db, job_id)
            job = Job.model_validate(row.request)
            at = next((i for i, one in enumerate(steps) if one.name == step), None)
            if at is None:
                raise NotFound(f"Job {job_id} has no step {step}.")
            verdict = self._verdict(row, steps, at)
            current = steps[at]
            if verdict is Verdict.RUN and current.attempt >= self._max_attempts:
                self._settle_failure(db, row, current, job, self._poison(current))
                verdict = Verdict.DROP
            if verdict is not Verdict.RUN:
                return Ticket(verdict, job_id, step, job, row.created_at)
            self._open(row, current, worker)
            results = {Step(one.name): one.result for one in steps[:at] if one.result is not None}
            return Ticket(
                Verdict.RUN,
                job_id,
                step,
                job,
                row.created_at,
                current.fence,
                current.attempt,
                results,
            )

    @staticmethod
    def _verdict(row: JobRow, steps: list[StepRow], at: int) -> Verdict:
        if row.status in SETTLED:
            return Verdict.DROP
        if steps[at].status == StepStatus.DONE:
            waiting = at + 1 < len(steps) and steps[at + 1].status == StepStatus.PENDING
            return Verdict.HAND_ON if waiting else Verdict.DROP
        if at and steps[at - 1].status != StepStatus.DONE:
            return Verdict.DROP  # a stale message from before a retry reset the steps
        return Verdict.RUN

    def _open(self, row: JobRow, step: StepRow, worker: str) -> None:
        now = self._clock()
        step.status = StepStatus.RUNNING
        step.attempt += 1
        step.fence += 1
        step.worker = worker
        step.lease_until = now + self._lease
        step.started_at = now
        step.code = step.message = None
        row.status = JobStatus.RUNNING
        row.updated_at = now

    def _poison(self, step: StepRow) -> Poison:
        return Poison(
            f"Step {step.name} was begun {step.attempt} times and never answered (last on "
            f"{step.worker}): look at the photo and at that worker's log, then run "
            "`packshot retry`."
        )

    def commit(self, ticket: Ticket, outcome: Outcome) -> None:
        """Write a step's result, its artifacts and, for the last one, the job's end and event.

        Raises `Fenced` when a newer attempt holds the step.
        """
        with self._transaction() as db:
            row, step = self._held(db, ticket)
            now = self._clock()
            step.status = StepStatus.DONE
            step.result = outcome.result
            step.confidence = outcome.confidence
            step.seconds = outcome.seconds
            step.input_key = outcome.input_key
            step.reused = outcome.reused
            step.finished_at = now
            step.lease_until = None
            row.updated_at = now
            for artifact in outcome.artifacts:
                self._add_artifact(db, ticket, artifact, now)
            if outcome.settlement:
                self._settle(db, row, ticket.job, outcome.settlement)

    def fail(self, ticket: Ticket, error: PackshotError) -> None:
        """Record that a step cannot be done, settle the job and write `job.failed`.

        Raises `Fenced` when a newer attempt holds the step.
        """
        with self._transaction() as db:
            row, step = self._held(db, ticket)
            self._settle_failure(db, row, step, ticket.job, error)

    def release(self, ticket: Ticket) -> None:
        """Give an attempt back unspent: it was not the job's fault (storage down, drain)."""
        with self._transaction() as db:
            _row, step = self._held(db, ticket)
            step.status = StepStatus.PENDING
            step.attempt -= 1
            step.lease_until = None

    def retry(self, source: str, job_id: str) -> tuple[UUID, Job, Step]:
        """Reopen a failed or cancelled job at its first unfinished step; the caller publishes it.

        Raises `NotFound`, or `Conflict` when the job is not one that can be retried.
        """
        with self._transaction() as db:
            row = self._lock(db, self._named(db, source, job_id).id)
            if row.status not in (JobStatus.FAILED, JobStatus.CANCELLED):
                raise Conflict(
                    f"Job {source}/{job_id} is {row.status}: only failed or cancelled "
                    "jobs can be retried."
                )
            first: Step | None = None
            for step in self._steps(db, row.id):
                if step.status == StepStatus.DONE:
                    continue
                first = first or Step(step.name)
                step.status = StepStatus.PENDING
                step.attempt = 0
                step.code = step.message = None
            if first is None:
                raise Conflict(f"Job {source}/{job_id} has no unfinished step.")
            row.status = JobStatus.RUNNING if first is not Step.PREPARE else JobStatus.QUEUED
            row.code = row.message = row.finished_at = None
            row.updated_at = self._clock()
            return row.id, Job.model_validate(row.request), first

    def cancel(self, source: str, job_id: str) -> bool:
        """Stop a job before its next step. Returns False when it was settled already."""
        with self._transaction() as db:
            row = self._lock(db, self._named(db, source, job_id).id)
            if row.status in SETTLED:
                return False
            row.status = JobStatus.CANCELLED
            row.finished_at = row.updated_at = self._clock()
            for step in self._steps(db, row.id):
                if step.status == StepStatus.RUNNING:
                    step.status = StepStatus.PENDING
                    step.fence += 1  # whoever runs it now must not commit
            return True

    def unfinished(self, source: str | None = None) -> list[tuple[UUID, Job, Step]]:
        """Every job that is not settled, with its first unfinished step."""
        with self._transaction() as db:
            rows = select(JobRow).where(JobRow.status.not_in(SETTLED)).order_by(JobRow.id)
            if source:
                rows = rows.where(JobRow.source == source)
            found = []
            for row in db.scalars(rows):
                for step in self._steps(db, row.id):
                    if step.status != StepStatus.DONE:
                        found.append((row.id, Job.model_validate(row.request), Step(step.name)))
                        break
            return found

    def reusable(self, step: Step, input_key: str) -> Known | None:
        """A finished result for exactly the same input, with the objects that belong to it."""
        with self._transaction() as db:
            row = db.scalars(
                select(StepRow)
                .where(
                    StepRow.input_key == input_key,
                    StepRow.name == step,
                    StepRow.status == StepStatus.DONE,
                )
                .limit(1)
            ).first()
            if row is None or row.result is None:
                return None
            objects = db.scalars(
                select(ArtifactRow).where(ArtifactRow.job == row.job, ArtifactRow.step == step)
            )
            artifacts = tuple(
                Artifact(one.name, one.key, one.media_type, one.bytes, one.sha256)
                for one in objects
            )
            return Known(row.result, row.confidence, artifacts)

    def reject(self, event: Event) -> None:
        """Write the `job.rejected` event of a message that never became a job."""
        with self._transaction() as db:
            self._add_event(db, None, event)

    def _settle(self, db: Session, row: JobRow, job: Job, end: Settlement) -> None:
        now = self._clock()
        row.status = end.status
        row.result = end.result
        row.reasons = list(end.reasons)
        row.audit_probability = end.audit_probability
        row.finished_at = row.updated_at = now
        if end.status is JobStatus.REVIEW:
            db.add(
                ReviewRow(
                    id=uuid7(),
                    job=row.id,
                    status="open",
                    lane=row.lane,
                    reasons=list(end.reasons),
                    confidence=end.confidence,
                    created_at=now,
                )
            )
        accepted = end.status is JobStatus.ACCEPTED
        kind = EventType.ACCEPTED if accepted else EventType.REVIEW_REQUESTED
        self._emit(db, row, job, kind, end.event)

    def _settle_failure(
        self, db: Session, row: JobRow, step: StepRow, job: Job, error: PackshotError
    ) -> None:
        now = self._clock()
        step.status = StepStatus.FAILED
        step.code = row.code = error.code
        step.message = row.message = str(error)
        step.finished_at = row.finished_at = row.updated_at = now
        step.lease_until = None
        row.status = JobStatus.FAILED
        data = {"step": step.name, "code": error.code, "message": str(error)}
        self._emit(db, row, job, EventType.FAILED, data)

    def _emit(
        self, db: Session, row: JobRow, job: Job, kind: EventType, data: dict[str, Any]
    ) -> None:
        head = {"id": str(row.id), "source": row.source, "job_id": row.job_id, "sku": row.sku}
        event = Event.of(
            kind,
            event_id=str(uuid7()),
            job=job,
            at=self._clock(),
            data={**head, **data, "metadata": job.metadata},
        )
        self._add_event(db, row.id, event)

    def _add_event(self, db: Session, job_id: UUID | None, event: Event) -> None:
        db.add(
            OutboxRow(
                id=UUID(event.id),
                job=job_id,
                type=event.type,
                event=event.model_dump(mode="json", exclude_none=True),
                created_at=self._clock(),
            )
        )

    @staticmethod
    def _add_artifact(db: Session, ticket: Ticket, artifact: Artifact, now: datetime) -> None:
        last = db.scalar(
            select(func.max(ArtifactRow.version)).where(
                ArtifactRow.job == ticket.id, ArtifactRow.name == artifact.name
            )
        )
        db.add(
            ArtifactRow(
                id=uuid7(),
                job=ticket.id,
                step=ticket.step,
                name=artifact.name,
                version=(last or 0) + 1,
                key=artifact.key,
                media_type=artifact.media_type,
                bytes=artifact.bytes,
                sha256=artifact.sha256,
                created_at=now,
            )
        )

    def _held(self, db: Session, ticket: Ticket) -> tuple[JobRow, StepRow]:
        row = self._lock(db, ticket.id)
        step = db.get_one(StepRow, (ticket.id, ticket.step))
        if step.fence != ticket.fence or step.status != StepStatus.RUNNING:
            raise Fenced(f"Step {ticket.step} of job {ticket.id} has been taken over.")
        return row, step

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
