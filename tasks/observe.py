"""What happened to a delivery, told to metrics, logs and traces. Decides nothing."""

import logging

from packshot import metrics
from packshot.contract import Lane, Step
from packshot.errors import Outcome as Fate
from packshot.errors import PackshotError, Poison
from packshot.store.ledger import Outcome, Ticket
from packshot.telemetry import action

log = logging.getLogger(__name__)


def begun(ticket: Ticket) -> None:
    """An attempt was opened. Its wait counts the first time only: later ones are pauses of ours."""
    if ticket.fence == 1 and ticket.began_at and ticket.queued_at:
        waited = (ticket.began_at - ticket.queued_at).total_seconds()
        metrics.WAIT.labels(ticket.step, ticket.job.lane).observe(max(0.0, waited))


def looked_up(step: Step, *, hit: bool) -> None:
    """A finished result of the same input was looked for."""
    metrics.LOOKUPS.labels(step, "hit" if hit else "miss").inc()


def done(ticket: Ticket, outcome: Outcome, seconds: float) -> None:
    """A step was committed, `seconds` after it had begun."""
    step, lane = ticket.step, ticket.job.lane
    metrics.STEPS.labels(step, lane, "reused" if outcome.reused else "done").inc()
    metrics.DURATION.labels(step, lane).observe(outcome.seconds)
    metrics.TRIED.labels(step, lane).observe(ticket.attempt)
    if outcome.confidence is not None:
        metrics.CONFIDENCE.labels(step).observe(outcome.confidence)
    log.info(
        "%s of job %s is done after %.3f s",
        *(step, ticket.id, outcome.seconds),
        extra=action("step.done", seconds=round(outcome.seconds, 4), reused=outcome.reused),
    )
    if end := outcome.settlement:
        _settled(ticket, end.status, seconds)
        if end.status == "review":
            for reason in end.reasons:
                metrics.REVIEWS.labels(lane, reason["code"]).inc()


def failed(ticket: Ticket, error: PackshotError, seconds: float) -> str:
    """A step has failed for good, and its job with it; returns the job's status for the metrics."""
    step, lane = ticket.step, ticket.job.lane
    metrics.STEPS.labels(step, lane, "failed").inc()
    metrics.ERRORS.labels(step, lane, error.code).inc()
    status = "rejected" if error.outcome is Fate.REJECT else "failed"
    _settled(ticket, status, seconds)
    return status


def poisoned(ticket: Ticket) -> None:
    """The ledger has ended a job whose workers died."""
    metrics.STEPS.labels(ticket.step, ticket.job.lane, "failed").inc()
    metrics.ERRORS.labels(ticket.step, ticket.job.lane, Poison.code).inc()
    _settled(ticket, "failed", 0.0)


def passing(ticket: Ticket, error: PackshotError) -> None:
    """An attempt ended in an error that may pass."""
    metrics.ERRORS.labels(ticket.step, ticket.job.lane, error.code).inc()


def put_back(step: Step, lane: Lane, reason: str) -> None:
    """A delivery will come again: `again` or `later`."""
    metrics.STEPS.labels(step, lane, reason).inc()
    metrics.RETRIES.labels(step, lane, reason).inc()


def skipped(ticket: Ticket) -> None:
    """There was nothing to do."""
    metrics.STEPS.labels(ticket.step, ticket.job.lane, "skipped").inc()


def alone(ticket: Ticket) -> None:
    """A step has to run again with the process to itself."""
    metrics.RETRIES.labels(ticket.step, ticket.job.lane, "alone").inc()


def _settled(ticket: Ticket, status: str, seconds: float) -> None:
    lane = ticket.job.lane
    metrics.JOBS.labels(lane, status).inc()
    log.info("job %s is %s", ticket.id, status, extra=action("job.settled", status=status))
    if status != "failed" and ticket.began_at:
        before = (ticket.began_at - ticket.created_at).total_seconds()
        metrics.JOB_DURATION.labels(lane).observe(max(0.0, before) + seconds)
