"""Every Prometheus metric of Packshot, declared once. docs/metrics.md is generated from here.

Names follow the conventions of Prometheus: `packshot_` first, base units, `_total` for counters.
Labels have few values: steps, lanes, error codes; never a job, a SKU or a worker.

Two registries: `WORKERS` is what each worker process counts about its own work, `EXPORTER` is what
`packshot exporter` reads about the installation, once for all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

from packshot.contract import Lane, Step
from packshot.errors import Poison

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Declared:
    """One metric, for the documentation and for the checks of dashboard and rules."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    served_by: Literal["worker", "exporter"]
    buckets: tuple[float, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The names that a query may use."""
        if self.kind == "histogram":
            return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return (self.name,)


WORKERS = CollectorRegistry(auto_describe=True)
EXPORTER = CollectorRegistry(auto_describe=True)
DECLARED: list[Declared] = []
ProcessCollector(registry=WORKERS)
PlatformCollector(registry=WORKERS)

#: Seconds of one step: a cache hit takes 10 ms, the watchdog ends a step at 120 s.
STEP_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
#: Seconds in a queue: live work waits for moments, a backlog for hours.
WAIT_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400)
#: Seconds from accepted to final. Two of them are the objectives of the lanes: `OBJECTIVES`.
JOB_SECONDS = (0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 900, 3600, 14400, 86400)
CONFIDENCES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 1)
ATTEMPTS = (1, 2, 3, 4, 6, 8)
BATCHES = (1, 2, 4, 8, 16, 32, 64)

#: Service-level objectives: 95 of 100 jobs of a lane are final within so many seconds.
OBJECTIVES = {"live": 30, "bulk": 3600}
OBJECTIVE_SHARE = 0.95


def _counter(name: str, text: str, labels: Sequence[str] = ()) -> Counter:
    DECLARED.append(Declared(name, "counter", text, tuple(labels), "worker"))
    return Counter(name, text, labels, registry=WORKERS)


def _histogram(name: str, text: str, labels: Sequence[str], buckets: Sequence[float]) -> Histogram:
    found = Declared(name, "histogram", text, tuple(labels), "worker", tuple(buckets))
    DECLARED.append(found)
    return Histogram(name, text, labels, registry=WORKERS, buckets=buckets)


def _gauge(name: str, text: str, labels: Sequence[str] = (), *, exporter: bool = False) -> Gauge:
    DECLARED.append(
        Declared(name, "gauge", text, tuple(labels), "exporter" if exporter else "worker")
    )
    return Gauge(name, text, labels, registry=EXPORTER if exporter else WORKERS)


def _seen(name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
    return _gauge(name, text, labels, exporter=True)


BUILD = _gauge("packshot_build_info", "Always 1; which release this is.", ("version", "pipeline"))
MODEL = _gauge(
    "packshot_model_info",
    "Always 1; which weights this worker has loaded.",
    ("step", "model", "version", "sha256", "licence"),
)
SLOTS = _gauge("packshot_worker_slots", "Steps that this worker can run at once.", ("role",))
BUSY = _gauge("packshot_worker_busy_slots", "Steps that this worker runs now.")

STEPS = _counter(
    "packshot_steps_total",
    "Deliveries of a step, by what became of them: done, reused (the result was known), failed, "
    "again (something is down), later (another worker is at it), skipped (nothing to do).",
    ("step", "lane", "outcome"),
)
ERRORS = _counter(
    "packshot_step_errors_total", "Errors that a step ended with.", ("step", "lane", "code")
)
RETRIES = _counter(
    "packshot_step_retries_total",
    "Times that a step has to be delivered or begun again: again, later, alone (a suspect).",
    ("step", "lane", "reason"),
)
DURATION = _histogram(
    "packshot_step_duration_seconds", "Time to do a step.", ("step", "lane"), STEP_SECONDS
)
WAIT = _histogram(
    "packshot_step_wait_seconds",
    "From handed on to begun, first delivery only.",
    ("step", "lane"),
    WAIT_SECONDS,
)
TRIED = _histogram(
    "packshot_step_attempts", "Attempts that a finished step took.", ("step", "lane"), ATTEMPTS
)
CONFIDENCE = _histogram(
    "packshot_confidence", "Confidence of a finished step's result.", ("step",), CONFIDENCES
)
BATCH = _histogram(
    "packshot_batch_size", "Photos that one call of a model took.", ("model",), BATCHES
)
LOOKUPS = _counter(
    "packshot_cache_lookups_total",
    "Looks for a finished result of the same input: hit or miss.",
    ("step", "result"),
)
JOBS = _counter(
    "packshot_jobs_total",
    "Jobs that reached their end: accepted, review, rejected (the photo cannot work) or failed "
    "(our own fault).",
    ("lane", "status"),
)
JOB_DURATION = _histogram(
    "packshot_job_duration_seconds",
    "From accepted to final, of every job that was not our failure.",
    ("lane",),
    JOB_SECONDS,
)
REVIEWS = _counter(
    "packshot_reviews_total", "Jobs that went to a person, by each reason.", ("lane", "reason")
)
MESSAGES = _counter(
    "packshot_messages_total",
    "Messages of producers: taken, repeated (known already), or the code of a refusal.",
    ("outcome",),
)
EVENTS = _counter("packshot_events_published_total", "Events that left the outbox.", ("type",))

QUEUE_MESSAGES = _seen(
    "packshot_queue_messages",
    "Messages in a stage's queue; unacked ones are with a worker. Step `intake` is the producers' "
    "queue, whose lane is not known yet (`any`).",
    ("step", "lane", "state"),
)
QUEUE_SLOTS = _seen(
    "packshot_queue_slots",
    "Steps of this queue that the present workers could run at once.",
    ("step", "lane"),
)
QUEUE_WORK = _seen(
    "packshot_queue_work_seconds",
    "Work in a queue: messages, ready and unacked, times the seconds that one takes.",
    ("step", "lane"),
)
ROLE_WORK = _seen(
    "packshot_role_work_seconds",
    "Work that waits for a role: its queues, with what it will do next for the same jobs. "
    "This is what the autoscaler reads.",
    ("role", "lane"),
)
DRAIN = _seen(
    "packshot_queue_drain_seconds",
    "Time until the present workers have emptied the queue; +Inf without a worker.",
    ("step", "lane"),
)
COST = _seen(
    "packshot_step_cost_seconds",
    "Seconds that one delivery of a step takes, measured over the last ones.",
    ("step",),
)
OLDEST = _seen(
    "packshot_oldest_job_age_seconds",
    "Age of the oldest unfinished job, by the step that it waits for.",
    ("step", "lane"),
)
REVIEW_DEPTH = _seen("packshot_review_depth", "Jobs that wait for a person.", ("lane",))
REVIEW_AGE = _seen(
    "packshot_review_oldest_age_seconds", "How long the oldest of them has waited.", ("lane",)
)
OUTBOX = _seen("packshot_outbox_waiting", "Events that are not published yet.")
OUTBOX_AGE = _seen("packshot_outbox_oldest_age_seconds", "How long the oldest of them has waited.")
LETTERS = _seen(
    "packshot_dead_letters", "Messages that rest: dead (no worker could), rejected.", ("queue",)
)
SERVER_UP = _seen(
    "packshot_exporter_server_up",
    "1 when the exporter could read it (broker, ledger); what depends on it is left out otherwise.",
    ("server",),
)
REFRESH = _seen("packshot_exporter_refresh_seconds", "Time that the last reading took.")


def prepare() -> None:
    """Show counters that alerts watch from the start: a series that begins at 1 has no increase."""
    for lane in Lane:
        # Both or neither: jobs without their durations would look as if they had all been late.
        JOB_DURATION.labels(lane)
        for status in ("accepted", "review", "rejected", "failed"):
            JOBS.labels(lane, status)
        for step in Step:
            ERRORS.labels(step, lane, Poison.code)


def observe_batch(model: str, photos: int) -> None:
    """For the batcher: one call of a model took so many photos."""
    BATCH.labels(model).observe(photos)
