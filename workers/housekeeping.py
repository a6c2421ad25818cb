"""What nobody does who is busy with a job: restart the jobs that stand still, tidy the queue.

Any number of workers may run it: each job is locked by one of them, and restarting a job that was
not lost costs a query. The broker may forget everything; the ledger knows what to publish again.
"""

import logging
import threading
from datetime import timedelta

from amqp.exceptions import AMQPError, MessageNacked
from celery import Celery
from kombu.exceptions import OperationalError

from packshot.contract import Lane, Step, queue_name
from packshot.errors import Transient
from packshot.store.blobs import BlobStore
from packshot.store.ledger import Ledger
from packshot.store.reviews import Reviews
from packshot.telemetry import action
from tasks import workflow
from workers.sweeper import Sweeper

log = logging.getLogger(__name__)

#: Leases that a step may stand still before it counts as forgotten: longer than the pauses of a
#: redelivery, short enough that a person does not notice first.
PATIENCE_LEASES = 3


class Housekeeper:
    """A thread that reconciles every `seconds`."""

    def __init__(
        self,
        app: Celery,
        ledger: Ledger,
        *,
        seconds: float,
        lease_seconds: float,
        reviews: Reviews | None = None,
        blobs: BlobStore | None = None,
    ) -> None:
        self._app = app
        self._ledger = ledger
        self._reviews = reviews
        self._sweeper = Sweeper(blobs) if blobs else None
        self._pause = seconds
        self._patience = timedelta(seconds=max(10.0, lease_seconds * PATIENCE_LEASES))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeper", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10.0)

    def _run(self) -> None:
        while not self._stopping.wait(self._pause):
            try:
                self.reconcile()
                if self._sweeper:
                    self._sweeper.sweep_when_due()
            except (Transient, AMQPError, MessageNacked, OperationalError, OSError) as error:
                log.warning("reconciling waits: %s", error)
            except Exception:
                # The thread that mends what others break must not be the one that stays broken.
                log.exception("reconciling failed")

    def reconcile(self) -> int:
        """Restart every job that stands still; returns how many there were.

        Items of the review queue whose reviewer has gone are put back on the way.
        """
        if self._reviews and (ended := self._reviews.expire()):
            log.info("%d items went back to the review queue: nobody was at them", ended)
        drained = self._drained()
        found = self._ledger.standing_still(self._patience, drained)
        for row, job, step in found:
            log.warning(
                "job %s stood still before %s: restarted",
                *(row, step),
                extra=action("job.restarted", job=str(row), step=step),
            )
            workflow.start(self._app, row, job, first=step)
        return len(found)

    def _drained(self) -> frozenset[tuple[Step, Lane]]:
        """The stages and lanes whose queues have no message waiting."""
        empty = set()
        with self._app.connection_for_write() as connection, connection.channel() as channel:
            for step in Step:
                for lane in Lane:
                    name = queue_name(step, lane)
                    if not channel.queue_declare(name, passive=True).message_count:
                        empty.add((step, lane))
        return frozenset(empty)
