"""The ledger: what is true about every job, step and attempt. The queue is only transport.

A step's life is begin -> (work) -> commit -> hand on. `begin` says what to do with a delivery:

    RUN      nobody has finished this step: do it, and commit with the fence that was given
    HAND_ON  it is done, but the next step has not begun: publish the next step again
    ALONE    a holder of this step died: begin again with nothing else in the process
    WAIT     another attempt holds a living lease on it: look again later
    DROP     the next step has begun, or the job is settled: nothing to do
    POISON   too many holders died: the job has failed, and its message is kept for a person

A redelivered message therefore costs one query. Every begin raises the step's fence, and `commit`
is refused for any but the latest fence, so that a worker that was believed dead cannot overwrite
its successor's work. A living worker renews its leases; a lease that ends unanswered means that
its holder died, and counts as an attempt.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from packshot.contract import Event, EventType, Job, Step
from packshot.errors import Conflict, Fenced, NotFound, PackshotError, Poison
from packshot.identity import uuid7
from packshot.store.enqueue import enqueue, searchable
from packshot.store.recovery import Recovery
from packshot.store.tables import (
    SETTLED,
    ArtifactRow,
    JobRow,
    JobStatus,
    OutboxRow,
    StepRow,
    StepStatus,
)
from packshot.store.tickets import (
    Artifact,
    Known,
    Outcome,
    Settlement,
    Submitted,
    Ticket,
    Verdict,
)
from packshot.words import words_of

__all__ = [
    "Artifact",
    "Known",
    "Ledger",
    "Outcome",
    "Settlement",
    "Submitted",
    "Ticket",
    "Verdict",
]


class Ledger(Recovery):
    """All writes to jobs and steps. Thread-safe."""

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
        now = self._now(db)
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
            words=words_of((job.sku, job.job_id)),
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

    def begin(self, job_id: UUID, step: Step, *, worker: str, alone: bool = False) -> Ticket:
        """Open an attempt at a step, or say why there is nothing to do.

        `alone` says that nothing else runs in the caller's process: only then is a suspect opened.
        Raises `NotFound` for an unknown job.
        """
        with self._transaction() as db:
            row = self._lock(db, job_id)
            steps = self._steps(db, job_id)
            job = Job.model_validate(row.request)
            at = next((i for i, one in enumerate(steps) if one.name == step), None)
            if at is None:
                raise NotFound(f"Job {job_id} has no step {step}.")
            verdict = self._verdict(db, row, steps, at)
            current = steps[at]
            if verdict is Verdict.RUN and current.attempt >= self._max_attempts:
                self._settle_failure(db, row, current, job, self._poison(current))
                verdict = Verdict.POISON
            if verdict is Verdict.RUN and current.attempt and not alone:
                verdict = Verdict.ALONE
            if verdict is not Verdict.RUN:
                return Ticket(verdict, job_id, step, job, row.created_at)
            self._open(db, row, current, worker)
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
                current.correction,
                current.result if current.correction else None,
            )

    def _verdict(self, db: Session, row: JobRow, steps: list[StepRow], at: int) -> Verdict:
        if row.status in SETTLED:
            return Verdict.DROP
        if steps[at].status == StepStatus.DONE:
            waiting = at + 1 < len(steps) and steps[at + 1].status == StepStatus.PENDING
            return Verdict.HAND_ON if waiting else Verdict.DROP
        if at and steps[at - 1].status != StepStatus.DONE:
            return Verdict.DROP  # a stale message from before a retry reset the steps
        lease = steps[at].lease_until
        if steps[at].status == StepStatus.RUNNING and lease and lease > self._now(db):
            return Verdict.WAIT  # a second message of the same step, or a holder that lost its link
        return Verdict.RUN

    def _open(self, db: Session, row: JobRow, step: StepRow, worker: str) -> None:
        now = self._now(db)
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
            now = self._now(db)
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
                self._add_artifact(db, ticket.id, ticket.step, artifact)
            if outcome.settlement:
                self._settle(db, row, ticket.job, outcome.settlement)

    def fail(self, ticket: Ticket, error: PackshotError) -> None:
        """Record that a step cannot be done, settle the job and write `job.failed`.

        Raises `Fenced` when a newer attempt holds the step.
        """
        with self._transaction() as db:
            row, step = self._held(db, ticket)
            self._settle_failure(db, row, step, ticket.job, error)

    def renew(self, tickets: Sequence[Ticket]) -> int:
        """Prolong the leases of steps that still run; returns how many were still held."""
        if not tickets:
            return 0
        held = [(ticket.id, ticket.step, ticket.fence) for ticket in tickets]
        with self._transaction() as db:
            renewed = (
                update(StepRow)
                .where(
                    tuple_(StepRow.job, StepRow.name, StepRow.fence).in_(held),
                    StepRow.status == StepStatus.RUNNING,
                )
                .values(lease_until=self._now(db) + self._lease)
                .execution_options(synchronize_session=False)
            )
            return int(db.execute(renewed).rowcount)  # type: ignore[attr-defined] # an UPDATE's

    def release(self, ticket: Ticket) -> None:
        """Give an attempt back unspent: it was not the job's fault (storage down, drain)."""
        with self._transaction() as db:
            _row, step = self._held(db, ticket)
            step.status = StepStatus.PENDING
            step.attempt -= 1
            step.lease_until = None

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
        now = self._now(db)
        row.status = end.status
        row.result = end.result
        if not end.reviewed:  # what sent the job to a person stays readable
            row.reasons = list(end.reasons)
            row.audit_probability = end.audit_probability
        row.finished_at = row.updated_at = now
        row.policy = end.policy or row.policy
        row.words = words_of(searchable(row, end.result))
        if end.status is JobStatus.REVIEW:
            enqueue(db, row, end, now)
        kind = EventType.ACCEPTED
        if end.reviewed:
            kind = EventType.REVIEWED
        elif end.status is JobStatus.REVIEW:
            kind = EventType.REVIEW_REQUESTED
        self._emit(db, row, job, kind, end.event)

    def _held(self, db: Session, ticket: Ticket) -> tuple[JobRow, StepRow]:
        row = self._lock(db, ticket.id)
        step = db.get_one(StepRow, (ticket.id, ticket.step))
        if step.fence != ticket.fence or step.status != StepStatus.RUNNING:
            raise Fenced(f"Step {ticket.step} of job {ticket.id} has been taken over.")
        return row, step
