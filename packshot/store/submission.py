"""Messages on their way into the ledger: inserted once, recognised afterwards."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from packshot.contract import Event, Job
from packshot.errors import Conflict
from packshot.identity import uuid7
from packshot.store.base import LedgerBase
from packshot.store.statements import insert_job, insert_steps
from packshot.store.tables import SETTLED, JobRow, JobStatus, OutboxRow
from packshot.store.tickets import Submitted
from packshot.words import words_of


class Submission(LedgerBase):
    """The part of the ledger that the intake calls."""

    def submit(self, job: Job) -> Submitted:
        """Insert a job, or recognise it. Raises `Conflict` for the same name with other content.

        A repeated message of a settled job publishes its last event again, under the same id.
        """
        row = self._insert(job)
        if row is not None:
            return Submitted(row, created=True, start=True)
        with self._transaction() as db:
            return self._repeat(db, self._named(db, job.source, job.job_id), job)

    def _insert(self, job: Job) -> UUID | None:
        """Insert a job with its steps; None where one of its name is there."""
        row = uuid7()
        new_job = {
            **self._this(row),
            "source": job.source,
            "job_id": job.job_id,
            "sku": job.sku,
            "lane": job.lane,
            "request": job.model_dump(mode="json"),
            "digest": job.digest(),
            "pipeline": self._pipeline,
            "words": words_of((job.sku, job.job_id)),
        }
        with self._connected() as db:
            # Of two intakes that read the same new message one waits here for the other.
            if db.scalar(insert_job(db.dialect.name, self._timed), new_job) is None:
                return None
            db.execute(insert_steps(job.chain), {"of_job": row})
        return row

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

    def reject(self, event: Event) -> None:
        """Write the `job.rejected` event of a message that never became a job."""
        with self._transaction() as db:
            self._add_event(db, None, event)
