"""A worker's life: load, warm, consume, drain.

Load first. The models are loaded and run once before the first connection to the broker; a model
that is broken ends the process here, where Kubernetes sees it, and not in somebody's job.

Drain in this order, and for these reasons:

1. The intake stops, since what it takes in now would wait in a queue anyway, while a message that
   it leaves on the broker is taken by another process at once.
2. Celery stops consuming; steps that run are finished, steps that were only reserved go back.
   Connections stay up meanwhile, so that heartbeats and acknowledgements still work.
3. The relay flushes the outbox last, since the steps that just ended have put events there.
"""

import logging
import secrets
import socket
from dataclasses import dataclass
from typing import Any

from celery import Celery, bootsteps
from celery.signals import worker_shutting_down

from models.bundle import Models
from models.fake import fake_models
from packshot.contract import Lane
from packshot.settings import Settings
from tasks.app import STAGES, create_app
from tasks.intake import Intake
from tasks.relay import Relay
from tasks.runner import Runner
from tasks.topology import declare
from workers.consumer import SafeConsumer
from workers.health import Probes
from workers.intake import IntakeConsumer
from workers.leases import Leases
from workers.roles import Role
from workers.services import build, load_models

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says about one worker process."""

    role: Role
    concurrency: int
    lanes: tuple[Lane, ...] = tuple(Lane)
    name: str | None = None
    probes: Probes | None = None
    #: Answer with fakes that take this many seconds, instead of with models.
    fake_seconds: float | None = None


def run_worker(settings: Settings, options: Options) -> int:
    """Run one worker until it is told to stop; returns the exit code."""
    role = options.role
    models = _models(settings, options)
    name = _unique(options)
    services = build(settings, models, worker=name, connections=options.concurrency + 2)
    services.blobs.check()
    app = create_app(settings, Runner(services, STAGES))
    app.conf.worker_consumer = SafeConsumer
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=None, interval_start=0.5, interval_max=5)
        declare(connection, settings.queue_limit)
    relay = Relay(app, services.outbox)
    intake = IntakeConsumer(
        Intake(app, services.ledger),
        broker_url=settings.broker_url.get_secret_value(),
        queue_limit=settings.queue_limit,
    )
    _install(app, intake if role.intake else None, options.probes)
    relay.start()
    try:
        with Leases(services.ledger, name, settings.lease_seconds):
            return _consume(app, options, name)
    finally:
        intake.stop()
        relay.stop()


def _models(settings: Settings, options: Options) -> Models:
    if options.fake_seconds is None:
        return load_models(settings, options.role.steps)
    log.warning("answering with fake models: every result of this worker is made up")
    return fake_models(seconds=options.fake_seconds)


def _install(app: Celery, intake: IntakeConsumer | None, probes: Probes | None) -> None:
    """Hang our parts into Celery's start and stop."""
    if probes:
        probes.install(app)
    if intake is not None:
        _install_intake(app, intake)


def _install_intake(app: Celery, intake: IntakeConsumer) -> None:
    class IntakeStep(bootsteps.StartStopStep):  # type: ignore[misc] # Celery is untyped
        """Starts with the worker; the drain begins with it."""

        def start(self, parent: Any) -> None:
            del parent
            intake.start()

        def stop(self, parent: Any) -> None:
            del parent
            intake.stop()

    app.steps["worker"].add(IntakeStep)

    def stop_intake_first(**_: Any) -> None:
        intake.stop(timeout=0)  # a signal handler must not wait; the join comes in the drain

    # Kept alive by the caller's frame: Celery holds signal receivers weakly otherwise.
    worker_shutting_down.connect(stop_intake_first, weak=False)


def _unique(options: Options) -> str:
    """A name that no other worker has, nor this one's predecessor after a restart.

    Two workers of one name cannot share a broker, and would renew each other's leases. In a
    container the process id is always the same and the host name survives a restart.
    """
    name = options.name or f"{options.role.name}@{socket.gethostname()}"
    first, _, host = name.partition("@")
    return f"{first}-{secrets.token_hex(3)}@{host or socket.gethostname()}"


def _consume(app: Celery, options: Options, name: str) -> int:
    role = options.role
    worker = app.Worker(
        hostname=name,
        pool="threads",
        concurrency=options.concurrency,
        queues=",".join(role.queues(options.lanes)),
        task_events=True,
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    log.info("%s serves %s", name, ", ".join(role.queues(options.lanes)))
    worker.start()
    return int(worker.exitcode or 0)
