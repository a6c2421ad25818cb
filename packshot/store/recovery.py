"""Jobs that stopped: found, resumed, cancelled."""

from collections.abc import Collection
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from packshot.contract import Job, Lane, Step
from packshot.errors import Conflict
from packshot.store.audit import note
from packshot.store.base import LedgerBase
from packshot.store.forgotten import idle, lapsed, passed_over
from packshot.store.persons import Person
from packshot.store.tables import SETTLED, JobRow, JobStatus, StepRow, StepStatus


class Recovery(LedgerBase):
    """The part of the ledger that a person, a restart or the reconciler calls."""

    def retry(
        self, source: str, job_id: str, *, by: Person | None = None
    ) -> tuple[UUID, Job, Step]:
        """Reopen a failed or cancelled job at its first unfinished step; the caller publishes it.

        The audit log names `by`, and the system where nobody is signed in. Raises `NotFound`, or
        `Conflict` when the job is not one that can be retried.
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
            before = {"status": row.status, "code": row.code}
            row.status = JobStatus.RUNNING if first is not Step.PREPARE else JobStatus.QUEUED
            row.code = row.message = row.finished_at = None
            row.updated_at = self._now(db)
            self._tell(db, row, by, "retry", before, {"status": row.status, "step": first})
            return row.id, Job.kept(row.request), first

    def cancel(self, source: str, job_id: str, *, by: Person | None = None) -> bool:
        """Stop a job before its next step. Returns False when it was settled already."""
        with self._transaction() as db:
            row = self._lock(db, self._named(db, source, job_id).id)
            if row.status in SETTLED:
                return False
            before = {"status": row.status}
            row.status = JobStatus.CANCELLED
            row.finished_at = row.updated_at = self._now(db)
            for step in self._steps(db, row.id):
                if step.status == StepStatus.RUNNING:
                    step.status = StepStatus.PENDING
                    step.fence += 1  # whoever runs it now must not commit
            self._tell(db, row, by, "cancel", before, {"status": row.status})
            return True

    def _tell(
        self,
        db: Session,
        row: JobRow,
        by: Person | None,
        action: str,
        before: dict[str, Any],
        after: dict[str, Any],
    ) -> None:
        subject = f"job:{row.id}"
        note(db, by, action, subject, at=self._now(db), job=row.id, before=before, after=after)

    def unfinished(self, source: str | None = None) -> list[tuple[UUID, Job, Step]]:
        """Every job that is not settled, with its first unfinished step."""
        left = aliased(StepRow)
        first = (
            select(func.min(left.position))
            .where(left.job == JobRow.id, left.status != StepStatus.DONE)
            .scalar_subquery()
        )
        rows = (
            select(JobRow.id, JobRow.request, StepRow.name)
            .join(StepRow, (StepRow.job == JobRow.id) & (StepRow.position == first))
            .where(JobRow.status.not_in(SETTLED))
            .order_by(JobRow.id)
        )
        if source:
            rows = rows.where(JobRow.source == source)
        with self._connected() as db:
            return [(row.id, Job.kept(row.request), Step(row.name)) for row in db.execute(rows)]

    def abandon(self, worker: str) -> int:
        """End the leases of a worker that is known to be gone; returns how many there were."""
        with self._transaction() as db:
            held = (
                update(StepRow)
                .where(StepRow.worker == worker, StepRow.status == StepStatus.RUNNING)
                .values(lease_until=self._now(db))
            )
            return int(db.execute(held).rowcount)  # type: ignore[attr-defined] # an UPDATE's result

    def standing_still(
        self, patience: timedelta, drained: Collection[tuple[Step, Lane]], *, limit: int = 200
    ) -> list[tuple[UUID, Job, Step]]:
        """Jobs that are neither settled nor moving, with the step to restart them from.

        A job stands still when its first unfinished step

        - runs under a lease that ended more than `patience` ago: its holder died and the broker has
          not delivered the message again; or
        - has waited longer than `patience` for a worker, although its queue is empty (`drained`) or
          a job that was queued later has begun: the message is gone.

        Each job is named at most once in `patience`, whoever asks: it is marked in the transaction
        that finds it, and rows that another reconciler holds are passed over.
        """
        with self._transaction() as db:
            now = self._now(db)
            before = now - patience
            suspects = dict(lapsed(db, before, limit))
            for lane in Lane:
                suspects.update(islice(passed_over(db, lane, before, drained), limit))
            if not suspects:
                return []
            rows = (
                select(JobRow)
                .where(JobRow.id.in_(suspects), idle(before))
                .order_by(JobRow.created_at)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            found = []
            for row in db.scalars(rows):
                row.nudged_at = now
                found.append((row.id, Job.kept(row.request), suspects[row.id]))
            return found
