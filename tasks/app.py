"""The Celery application: settings, queues and the tasks. The bodies are in the stages."""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from celery import Celery, Task
from celery.exceptions import Ignore, Reject

from packshot import contract
from packshot.contract import Step, queue_name, task_name
from packshot.errors import ConfigurationError, Transient
from packshot.settings import Settings
from tasks import finish, matting, ocr, prepare, recognition, workflow
from tasks.backoff import pauses
from tasks.delivery import Next
from tasks.runner import Runner
from tasks.stage import Stage
from tasks.topology import JOBS, stage_queues

log = logging.getLogger(__name__)

#: Every stage, by its step.
STAGES: Mapping[Step, Stage] = {
    stage.step: stage
    for stage in (prepare.STAGE, ocr.STAGE, recognition.STAGE, matting.STAGE, finish.STAGE)
}

#: Longest pause before a handed-back step is delivered again, seconds.
HANDBACK_CAP = 60.0


def create_app(settings: Settings, runner: Runner | None = None) -> Celery:
    """Build the application. Without a runner it can publish, but its tasks cannot run."""
    app = Celery("packshot", set_as_current=False)
    app.conf.update(configuration(settings))
    _connect_events_without_confirms(app)
    for step in Step:
        _register(app, step, runner, settings)
    return app


def configuration(settings: Settings) -> dict[str, Any]:
    """Settings that lose nothing; the reasons are in docs/architecture.md, Delivery."""
    return {
        "broker_url": settings.broker_url.get_secret_value(),
        "broker_connection_retry_on_startup": True,
        "broker_channel_error_retry": True,  # a consumer time-out must not end the process
        "broker_connection_timeout": 5,
        "broker_heartbeat": 30,
        "broker_transport_options": {"confirm_publish": True},
        "task_ignore_result": True,  # the ledger is where results live
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_acks_on_failure_or_timeout": False,  # what fails unseen goes to the dead letters
        "task_publish_retry": True,
        # A full queue is waited for.
        "task_publish_retry_policy": {
            "max_retries": 60,
            "interval_start": 0.2,
            "interval_step": 0.5,
            "interval_max": 2,
        },
        "worker_prefetch_multiplier": 1,  # costs nothing at 50 ms a step and keeps lanes fair
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "task_queues": list(stage_queues(settings.queue_limit, make=settings.declare_queues)),
        "task_create_missing_queues": False,
        "task_default_queue_type": "quorum",
        "task_default_exchange": JOBS.name,
        "task_default_exchange_type": "topic",
        "task_default_queue": queue_name(Step.PREPARE, contract.Lane.BULK),
        "task_default_routing_key": queue_name(Step.PREPARE, contract.Lane.BULK),
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_send_sent_event": True,
        "worker_send_task_events": True,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "enable_utc": True,
    }


def _register(app: Celery, step: Step, runner: Runner | None, settings: Settings) -> None:
    # Not shared: a second application in this process would run the first one's runner.
    @app.task(  # type: ignore[untyped-decorator]
        name=task_name(step), bind=True, max_retries=None, shared=False
    )
    def deliver(self: Task, *, job: str, step: str, lane: str) -> None:
        """Run one step of one job, and those behind it that this worker does without a message.

        `lane` is there for whoever watches the queues.
        """
        if runner is None:
            raise RuntimeError("this process only publishes")
        handbacks = self.request.retries
        end = runner.deliver(
            UUID(job),
            Step(step),
            worker=runner.services.worker,
            handbacks=handbacks,
            lane=contract.Lane(lane),
        )
        fate = end.fate
        if fate is Next.STOP:
            raise Ignore
        if fate is Next.DEAD:
            raise Reject(requeue=False)
        if fate is Next.AGAIN:
            # Whole seconds: the delayed delivery of quorum queues knows no fractions.
            raise self.retry(countdown=_countdown(handbacks), max_retries=None)
        if fate is Next.LATER:
            raise self.retry(countdown=max(1, settings.lease_seconds // 3), max_retries=None)
        try:
            workflow.hand_on(self, end.onward)
        except (Transient, ConfigurationError) as error:
            log.warning("%s of job %s is not handed on yet: %s", step, job, error)
            raise self.retry(countdown=_countdown(handbacks), max_retries=None) from error


def _countdown(handbacks: int) -> int:
    ceiling = min(HANDBACK_CAP, 2.0 ** min(handbacks + 1, 10))
    return 1 + int(next(pauses(base=ceiling, cap=ceiling)))


def _connect_events_without_confirms(app: Celery) -> None:
    """Keep Flower's events from stalling a worker.

    Celery 5.7.0 registers the event connection's socket in the hub, which eats the confirm that a
    pool thread waits for while it holds the dispatcher's lock: thread pool, events, confirms and
    heartbeat together stop the whole worker. An event may be lost, so its connection does without
    confirms. Only that connection is opened with a heartbeat argument.
    """
    original = app.connection_for_write

    def connection_for_write(url: str | None = None, *args: Any, **options: Any) -> Any:
        if options.get("heartbeat"):
            options["transport_options"] = {"confirm_publish": False}
        return original(url, *args, **options)

    app.connection_for_write = connection_for_write
