"""The ledger: what is true about every job, step and attempt. The queue is only transport.

A step's life is begin -> (work) -> commit -> hand on. `begin` says what to do with a delivery:

    RUN      nobody has finished this step: do it, and commit with the fence that was given
    HAND_ON  it is done, and this message carries the job on: go on where the job stands
    ALONE    a holder of this step died: begin again with nothing else in the process
    WAIT     another attempt holds a living lease on it: look again later
    DROP     another message has the job, or it is settled: nothing to do
    POISON   too many holders died: the job has failed, and its message is kept for a person

A redelivered message therefore costs a query or two. A worker that serves the next step as well
goes on without a message for it. Each attempt says under which message it was begun, its carrier:
so the message of a worker that died three steps later finds the way back to its job.

Every begin raises the step's fence, and `commit` is refused for any but the latest fence, so that a
worker that was believed dead cannot overwrite its successor's work. A living worker renews its
leases; a lease that ends unanswered means that its holder died, and counts as an attempt.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Connection, Update, tuple_, update
from sqlalchemy.orm import Session

from packshot.contract import EventType, Job, Step
from packshot.errors import Fenced, NotFound, PackshotError, Poison
from packshot.jsontext import escaped
from packshot.store.base import SENTENCE_CHARS, artifact_row
from packshot.store.enqueue import enqueue, searchable
from packshot.store.recovery import Recovery
from packshot.store.standing import Standing, standing
from packshot.store.statements import (
    CLOSE_STEP,
    INSERT_ARTIFACT,
    KNOWN_ARTIFACTS,
    KNOWN_STEP,
    OPEN_JOB,
    OPEN_NEXT_STEP,
    OPEN_STEP,
)
from packshot.store.submission import Submission
from packshot.store.tables import (
    SETTLED,
    JobRow,
    JobStatus,
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


class Ledger(Submission, Recovery):
    """All writes to jobs and steps. Thread-safe."""

    #: Only the holder of the latest fence closes a step.
    _closes: ClassVar[Update] = CLOSE_STEP

    def begin(
        self,
        job_id: UUID,
        step: Step,
        *,
        worker: str,
        alone: bool = False,
        carrier: Step | None = None,
        reclaim: bool = False,
    ) -> Ticket:
        """Open an attempt at a step, or say why there is nothing to do.

        `alone` says that nothing else runs in the caller's process: only then is a suspect opened.
        `carrier` is the step whose message the caller holds, where it is an earlier one. `reclaim`
        says that `worker` does not run this step: if it holds it, its begin has got no answer.
        Raises `NotFound` for an unknown job.
        """
        with self._connected() as db:
            found = standing(db, self._timed, self._this(job_id))
            job = Job.kept(found.request)
            at = found.position(step)
            current = found.steps[at]
            onward = found.onward(at, carrier or step)
            unheard = reclaim and found.held(at, worker)
            verdict = Verdict.RUN if unheard else self._verdict(found, at, onward)
            spent = current.attempt - unheard
            if verdict is Verdict.RUN and spent >= self._max_attempts:
                self._end_as_poison(db, job_id, step, job)
                verdict = Verdict.POISON
            if verdict is Verdict.RUN and spent and not alone:
                verdict = Verdict.ALONE
            if verdict is Verdict.HAND_ON and onward is not None:
                there = found.name(onward)
                return Ticket(verdict, job_id, step, job, found.created_at, onward=there)
            if verdict is not Verdict.RUN:
                return Ticket(verdict, job_id, step, job, found.created_at)
            self._open(db, found, at, spent + 1, worker, carrier or step)
            return Ticket(
                Verdict.RUN,
                job_id,
                step,
                job,
                found.created_at,
                current.fence + 1,
                spent + 1,
                {Step(name): result for name, result in found.results_before(at).items()},
                current.correction,
                current.result if current.correction else None,
                found.queued_at(at),
                found.now,
                worker,
                carrier or step,
            )

    def _verdict(self, job: Standing, at: int, onward: int | None) -> Verdict:
        if job.status in SETTLED:
            return Verdict.DROP
        current = job.steps[at]
        if current.status == StepStatus.DONE:
            return Verdict.DROP if onward is None else Verdict.HAND_ON
        if at and job.steps[at - 1].status != StepStatus.DONE:
            return Verdict.DROP  # a stale message from before a retry reset the steps
        if job.held(at):
            return Verdict.WAIT  # a second message of the same step, or a holder that lost its link
        return Verdict.RUN

    def _open(
        self, db: Connection, job: Standing, at: int, attempt: int, worker: str, carrier: str
    ) -> None:
        current = job.steps[at]
        opened = {
            "of_job": job.id,
            "of_name": current.name,
            "attempt": attempt,
            "fence": current.fence + 1,
            "worker": worker,
            "carrier": carrier,
            "lease_until": job.now + self._lease,
            "started_at": job.now,
        }
        db.execute(OPEN_STEP, opened)
        if job.status != JobStatus.RUNNING:
            running = {"of_job": job.id, "status": JobStatus.RUNNING, "updated_at": job.now}
            db.execute(OPEN_JOB, running)

    def _end_as_poison(self, within: Connection, job_id: UUID, step: Step, job: Job) -> None:
        with self._session(within) as db:
            row, current = self._lock(db, job_id), db.get_one(StepRow, (job_id, step))
            self._settle_failure(db, row, current, job, self._poison(current))

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
        with self._connected() as db:
            now = self._finish(db, ticket, outcome)
            if outcome.settlement:
                with self._session(db, now) as session:
                    self._settle(session, ticket, outcome.settlement)

    def advance(self, ticket: Ticket, outcome: Outcome) -> Ticket | None:
        """Write a step's result and begin the next step for the same worker, under one lock.

        None where there is more to ask: `begin` knows what to do then. Raises `Fenced` when a newer
        attempt holds the step.
        """
        step = ticket.job.after(ticket.step)
        with self._connected() as db:
            now = self._finish(db, ticket, outcome)
            if step is None:
                return None
            opened = {
                "of_job": ticket.id,
                "of_name": step,
                "worker": ticket.worker,
                "carrier": ticket.carrier,
                "lease_until": now + self._lease,
                "started_at": now,
            }
            found = db.execute(OPEN_NEXT_STEP, opened).one_or_none()
        if found is None:
            return None
        return replace(
            ticket,
            step=step,
            fence=found.fence,
            attempt=1,
            results={**ticket.results, ticket.step: outcome.result},
            correction=found.correction,
            before=found.result if found.correction else None,
            queued_at=now,
            began_at=now,
        )

    def _finish(self, db: Connection, ticket: Ticket, outcome: Outcome) -> datetime:
        """Close a step with its artifacts; returns the moment."""
        now = self._touch(db, ticket.id)
        self._close(db, ticket, outcome, now)
        if outcome.artifacts:
            added = [artifact_row(ticket.id, ticket.step, one, now) for one in outcome.artifacts]
            db.execute(INSERT_ARTIFACT, added)
        return now

    def _touch(self, db: Connection, job_id: UUID) -> datetime:
        """Mark a job as moving, which locks its row first, as everywhere; returns the moment."""
        now: datetime | None = db.scalar(self._timed.touch_job, self._this(job_id))
        if now is None:
            raise NotFound(f"There is no job {job_id}.")
        return now

    def _close(self, db: Connection, ticket: Ticket, outcome: Outcome, now: datetime) -> None:
        closed = {
            "of_job": ticket.id,
            "of_name": ticket.step,
            "held_fence": ticket.fence,
            "result": outcome.result,
            "confidence": outcome.confidence,
            "seconds": outcome.seconds,
            **asdict(outcome.cost),
            "input_key": outcome.input_key,
            "reused": outcome.reused,
            "finished_at": now,
        }
        if not db.execute(self._closes, closed).rowcount:
            raise Fenced(f"Step {ticket.step} of job {ticket.id} has been taken over.")

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

    def release(self, ticket: Ticket, why: PackshotError | None = None) -> None:
        """Give an attempt back unspent: it was not the job's fault (storage down, drain).

        `why` is kept with the step until it begins again, for whoever asks what a job waits for.
        """
        with self._transaction() as db:
            _row, step = self._held(db, ticket)
            step.status = StepStatus.PENDING
            step.attempt -= 1
            step.lease_until = None
            if why is not None:
                step.code, step.message = why.code, escaped(str(why), SENTENCE_CHARS)

    def reusable(self, step: Step, input_key: str) -> Known | None:
        """A finished result for exactly the same input, with the objects that belong to it."""
        with self._connected() as db:
            wanted = {"input_key": input_key, "name": step}
            found = db.execute(KNOWN_STEP, wanted).one_or_none()
            if found is None or found.result is None:
                return None
            objects = db.execute(KNOWN_ARTIFACTS, {"of_job": found.job, "step": step})
            artifacts = tuple(Artifact(*one) for one in objects)
            return Known(found.result, found.confidence, artifacts)

    def _settle(self, db: Session, ticket: Ticket, end: Settlement) -> None:
        row, now = db.get_one(JobRow, ticket.id), self._now(db)
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
        self._emit(db, row.id, ticket.job, kind, end.event)

    def _held(self, db: Session, ticket: Ticket) -> tuple[JobRow, StepRow]:
        row = self._lock(db, ticket.id)
        step = db.get_one(StepRow, (ticket.id, ticket.step))
        if step.fence != ticket.fence or step.status != StepStatus.RUNNING:
            raise Fenced(f"Step {ticket.step} of job {ticket.id} has been taken over.")
        return row, step
