"""The review queue: what `Queue` shows, `Claims` gives out, and people decide here.

A decision is written once, by the holder of the latest claim, in one transaction with the job's new
state, the audit entry and the event. A correction is written in the same way, but the job runs on:
the corrected step and those that follow from it are reopened, do what the person said, and the
job's last step sends `job.reviewed` with the pictures rendered anew. Should the caller die before
it has published the job again, the reconciler finds it standing still like every other one.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from packshot.contract import EventType, Job, Step
from packshot.errors import (
    AlreadyDecided,
    ClaimLost,
    InvalidDecision,
    NotAllowed,
    NotFound,
    PackshotError,
)
from packshot.store.audit import note
from packshot.store.claims import REVIEW_STEP, Claims
from packshot.store.corrections import by_step, following, said_before
from packshot.store.persons import Person, Role
from packshot.store.review_items import (
    BulkResult,
    Correction,
    Decided,
    Decision,
    Hold,
    Restart,
    ReviewStatus,
    Ruling,
)
from packshot.store.tables import (
    ArtifactRow,
    JobRow,
    JobStatus,
    ReasonRow,
    ReviewRow,
    SkipRow,
    StepStatus,
)
from packshot.summary import reviewed_data, reviewed_document

#: Where a decision leaves the job.
ENDS: Mapping[Decision, JobStatus] = {
    Decision.APPROVED: JobStatus.ACCEPTED,
    Decision.CORRECTED: JobStatus.ACCEPTED,
    Decision.REJECTED: JobStatus.REJECTED,
    Decision.SENT_BACK: JobStatus.REJECTED,
}


class Reviews(Claims):
    """All writes to the review queue but its filling, which the ledger does. Thread-safe."""

    def decide(self, hold: Hold, ruling: Ruling, by: Person) -> Decided:
        """Write a decision; after a correction the caller publishes `restart`.

        Asking again with the same hold after a lost answer gives the same answer.

        Raises `ClaimLost`, `AlreadyDecided`, `InvalidDecision`, `NotFound` or `NotAllowed`.
        """
        by.must(Role.REVIEWER)
        ruling.check()
        with self._transaction() as db:
            job = self._lock_job_of(db, hold.review)
            row = self._locked(db, hold.review)
            if row.status == ReviewStatus.DECIDED and self._is_ours(row, hold, ruling, by):
                return self._decided(db, row, job)
            row = self._held(db, hold)
            if row.holder != by.id:
                raise ClaimLost("This item is held by somebody else.")
            return self._write(db, job, row, ruling, by)

    def accept_all(
        self,
        items: Sequence[tuple[UUID, int]],
        by: Person,
        *,
        least: Role = Role.REVIEWER,
    ) -> BulkResult:
        """Approve open items that were seen side by side, each as it was when it was seen.

        `items` are ids with the versions that were shown: what has changed hands since is refused,
        and so are audit samples, which are worth nothing unless somebody looks at each.
        """
        by.must(least)
        accepted: list[UUID] = []
        refused: dict[UUID, str] = {}
        for review, version in items:
            try:
                self._accept(review, version, by)
            except PackshotError as error:
                refused[review] = error.code
            else:
                accepted.append(review)
        return BulkResult(tuple(accepted), refused)

    def _accept(self, review: UUID, version: int, by: Person) -> None:
        with self._transaction() as db:
            job = self._lock_job_of(db, review)
            row = self._locked(db, review)
            if row.status == ReviewStatus.DECIDED:
                raise AlreadyDecided("This item has been decided meanwhile.")
            if row.status != ReviewStatus.OPEN or row.version != version:
                raise ClaimLost("This item has changed hands meanwhile.")
            if any(one["code"] == "audit" for one in row.reasons):
                raise NotAllowed("An audit sample has to be looked at by itself.")
            self._write(db, job, row, Ruling(decision=Decision.APPROVED), by, bulk=True)

    def _write(
        self,
        db: Session,
        job: JobRow,
        row: ReviewRow,
        ruling: Ruling,
        by: Person,
        *,
        bulk: bool = False,
    ) -> Decided:
        if job.status != JobStatus.REVIEW:
            raise AlreadyDecided(f"The job is {job.status}: there is nothing to decide any more.")
        corrected = list(ruling.correction.fields) if ruling.correction else []
        said: dict[str, Any] = {
            "decision": ruling.decision,
            "corrected": corrected,
            "reason": ruling.reason,
            "note": ruling.note,
        }
        review = {
            "id": str(row.id), "status": ENDS[ruling.decision], "reviewer": str(by.id), **said
        }  # fmt: skip
        before = said_before(job.result or {}, corrected)
        if ruling.correction:
            self._reopen_steps(db, job, ruling.correction, review)
        else:
            self._end(db, job, review)
        now = self._now(db)
        row.status = ReviewStatus.DECIDED
        row.version += 1
        row.holder = row.lease_until = None
        row.decided_at = now
        row.decided_by = by.id
        row.seconds = ruling.seconds
        given = ruling.correction.given() if ruling.correction else {}
        row.decision = {**said, "correction": given, "before": before, "bulk": bulk}
        db.execute(delete(ReasonRow).where(ReasonRow.review == row.id))
        db.execute(delete(SkipRow).where(SkipRow.review == row.id))
        note(
            db,
            by,
            str(ruling.decision),
            f"review:{row.id}",
            at=now,
            job=job.id,
            before={"status": JobStatus.REVIEW, **before},
            after={**said, "correction": given, "bulk": bulk},
        )
        db.flush()
        return self._decided(db, row, job)

    def _end(self, db: Session, job: JobRow, review: Mapping[str, Any]) -> None:
        now = self._now(db)
        job.status = review["status"]
        job.result = reviewed_document(job.result or {}, review)
        job.updated_at = job.finished_at = now
        request = Job.kept(job.request)
        self._emit(db, job.id, request, EventType.REVIEWED, reviewed_data(job.result, review))

    def _reopen_steps(
        self, db: Session, job: JobRow, correction: Correction, review: Mapping[str, Any]
    ) -> None:
        """Send the job through the corrected steps again, and through those that follow."""
        steps = self._steps(db, job.id)
        chain = [Step(step.name) for step in steps]
        said = {**by_step(correction, chain), Step.FINISH: dict(review)}
        again = following(correction, chain)
        if correction.matte:
            self._must_be_kept(db, job.id, correction.matte)
        for step in steps:
            if step.name not in said and step.name not in again:
                continue
            if step.name in again:
                step.result = None  # it was built on what has been corrected
            step.correction = said.get(Step(step.name))
            step.status = StepStatus.PENDING
            step.attempt = 0
            step.input_key = step.lease_until = step.code = step.message = None
        job.status = JobStatus.RUNNING
        job.finished_at = job.nudged_at = None
        job.updated_at = self._now(db)

    @staticmethod
    def _must_be_kept(db: Session, job: UUID, key: str) -> None:
        kept = exists().where(
            ArtifactRow.job == job, ArtifactRow.step == REVIEW_STEP, ArtifactRow.key == key
        )
        if not db.scalar(select(kept)):
            raise InvalidDecision("This matte was not saved for this job.")

    def _decided(self, db: Session, row: ReviewRow, job: JobRow) -> Decided:
        restart = None
        if job.status == JobStatus.RUNNING:
            first = next(one for one in self._steps(db, job.id) if one.status != StepStatus.DONE)
            restart = Restart(job.id, Job.kept(job.request), Step(first.name))
        return Decided(self._get(db, row.id), restart)

    @staticmethod
    def _is_ours(row: ReviewRow, hold: Hold, ruling: Ruling, by: Person) -> bool:
        said = row.decision or {}
        return (
            row.token == hold.token
            and row.decided_by == by.id
            and said.get("decision") == ruling.decision
            and said.get("correction") == (ruling.correction.given() if ruling.correction else {})
        )

    def _lock_job_of(self, db: Session, review: UUID) -> JobRow:
        job = db.scalar(select(ReviewRow.job).where(ReviewRow.id == review))
        if job is None:
            raise NotFound(f"There is no item {review} in the review queue.")
        return self._lock(db, job)
