"""intake: from a producer's message to a started chain, or to a refusal with a reason."""

import json
import logging
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from celery import Celery

from packshot import metrics
from packshot.clock import utc_now
from packshot.contract import MAX_MESSAGE_BYTES, Event, EventType, Job
from packshot.errors import Rejected
from packshot.identity import uuid7
from packshot.jsontext import escaped
from packshot.store.ledger import Ledger
from packshot.telemetry import action
from packshot.tracing import NoTracing, Tracing, context
from tasks import workflow

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message never became a job; goes into headers and into the `job.rejected` event."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes messages in. Thread-safe; everything it does may be repeated."""

    app: Celery
    ledger: Ledger
    tracing: Tracing = field(default_factory=NoTracing)

    def take(self, body: bytes) -> UUID | Refusal:
        """Validate, insert, publish the chain; returns once all of it is safe.

        Raises `Transient` when the database or the broker is away: the message must stay queued.
        """
        try:
            job = Job.parse(body)
            return self.submit(job)
        except Rejected as error:
            refusal = Refusal(error.code, str(error))
            log.warning(
                "message refused: %s: %s",
                *(error.code, error),
                extra=action("message.refused", code=error.code),
            )
            self.ledger.reject(_rejected(body, refusal))
            metrics.MESSAGES.labels(error.code).inc()
            return refusal

    def submit(self, job: Job) -> UUID:
        """Insert a valid job and start it, unless it is running or done already."""
        started = time.time()
        known = self.ledger.submit(job)
        if known.start:
            workflow.start(self.app, known.id, job)
        metrics.MESSAGES.labels("taken" if known.created else "repeated").inc()
        if known.created:
            self.tracing.intake(known.id, job.traceparent, started)
            log.info(
                "job %s is taken in",
                known.id,
                extra=action(
                    "job.taken",
                    job=str(known.id),
                    trace=context(known.id, job.traceparent).trace,
                    source=job.source,
                    job_id=job.job_id,
                    sku=job.sku,
                    lane=job.lane,
                ),
            )
        return known.id


def _rejected(body: bytes, refusal: Refusal) -> Event:
    return Event.of(
        EventType.REJECTED,
        event_id=str(uuid7()),
        job=None,
        at=utc_now(),
        data={"code": refusal.code, "message": refusal.message, **_names(body)},
    )


def _names(body: bytes) -> dict[str, Any]:
    """Whatever of the sender's own names can be read, so that it finds its message again."""
    if len(body) > MAX_MESSAGE_BYTES:
        return {}
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(raw, dict):
        return {}
    names = {name: raw.get(name) for name in ("source", "job_id", "sku")}
    return {name: escaped(value, 256) for name, value in names.items() if isinstance(value, str)}
