"""One reading of the whole installation into the exporter's gauges."""

import logging
import time
from collections.abc import Callable, Mapping

from prometheus_client import Gauge, generate_latest

from packshot import metrics
from packshot.contract import Step
from packshot.errors import PackshotError, Transient
from packshot.store.gauges import Gauges, costs
from packshot.telemetry import action
from workers.exporter.queues import Queues
from workers.exporter.work import cost, drain, queue_work, role_work, slots

log = logging.getLogger(__name__)

#: What is left out when a server could not be read: an old number would steer the fleet.
_OF_BROKER = (
    metrics.QUEUE_MESSAGES,
    metrics.QUEUE_SLOTS,
    metrics.QUEUE_WORK,
    metrics.ROLE_WORK,
    metrics.DRAIN,
    metrics.LETTERS,
)
_OF_LEDGER = (metrics.OLDEST, metrics.REVIEW_DEPTH, metrics.REVIEW_AGE)


class Reader:
    """Reads broker and ledger; `text` is what was found, as Prometheus takes it."""

    def __init__(self, gauges: Gauges, look: Callable[[], Queues]) -> None:
        self._gauges = gauges
        self._look = look
        self._costs: Mapping[Step, float | None] = {}
        self.text = b""
        #: When the last reading ended, by the process's own clock.
        self.read_at = time.monotonic()

    def read(self) -> bool:
        """Read everything once; returns whether all of it could be read."""
        began = time.perf_counter()
        ledger = self._part("ledger", _OF_LEDGER, self._read_ledger)
        broker = self._part("broker", _OF_BROKER, self._read_broker)
        metrics.REFRESH.set(time.perf_counter() - began)
        self.text = generate_latest(metrics.EXPORTER)
        self.read_at = time.monotonic()
        return ledger and broker

    @staticmethod
    def _part(name: str, gauges: tuple[Gauge, ...], read: Callable[[], None]) -> bool:
        for gauge in gauges:
            gauge.clear()
        try:
            read()
        except (Transient, OSError, PackshotError) as error:
            log.warning("%s cannot be read: %s", name, error, extra=action("exporter.blind"))
            metrics.SERVER_UP.labels(name).set(0)
            return False
        metrics.SERVER_UP.labels(name).set(1)
        return True

    def _read_ledger(self) -> None:
        self._costs = costs(self._gauges)
        for (step, lane), age in self._gauges.oldest().items():
            metrics.OLDEST.labels(step, lane).set(age)
        for lane, waiting in self._gauges.reviews().items():
            metrics.REVIEW_DEPTH.labels(lane).set(waiting.count)
            metrics.REVIEW_AGE.labels(lane).set(waiting.age)
        outbox = self._gauges.outbox()
        metrics.OUTBOX.set(outbox.count)
        metrics.OUTBOX_AGE.set(outbox.age)
        for step in Step:
            metrics.COST.labels(step).set(cost(step, self._costs))

    def _read_broker(self) -> None:
        # With the ledger away the last known costs hold: the fleet must still follow the queues.
        found = self._look()
        work = queue_work(found.depths, self._costs)
        free = slots(found.servers, list(found.depths))
        times = drain(found.depths, self._costs, found.servers)
        for key, depth in found.depths.items():
            metrics.QUEUE_MESSAGES.labels(*key, "ready").set(depth.ready)
            metrics.QUEUE_MESSAGES.labels(*key, "unacked").set(depth.unacked)
            metrics.QUEUE_SLOTS.labels(*key).set(free[key])
            metrics.QUEUE_WORK.labels(*key).set(work[key])
            metrics.DRAIN.labels(*key).set(times[key])
        for (role, lane), seconds in role_work(found.depths, self._costs).items():
            metrics.ROLE_WORK.labels(role, lane).set(seconds)
        for label, count in found.letters.items():
            metrics.LETTERS.labels(label).set(count)
