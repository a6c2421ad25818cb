"""A worker's life: load, warm, consume, drain.

Load first. The models are loaded and run once before the first connection to the broker; a model
that is broken ends the process here, where Kubernetes sees it, and not in somebody's job.

Drain in this order, and for these reasons:

1. The intake stops, since what it takes in now would wait in a queue anyway, while a message that
   it leaves on the broker is taken by another process at once.
2. Celery stops consuming; steps that run are finished, steps that were only reserved go back.
   Connections and leases stay up meanwhile: a step that ends late must still be able to commit.
3. Steps that are not finished within `drain_seconds` are handed back: their attempts are released
   in the ledger, so that they are not taken for the cause of a death, and the process ends; the
   broker delivers their messages again.
4. The relay flushes the outbox last, since the steps that just ended have put events there.

A worker with a hung step drains in the same way, and exits with 75 so that it is replaced.
"""

import logging
import os
import secrets
import signal
import socket
import threading
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from celery import Celery, bootsteps
from celery.signals import worker_shutting_down

from models.bundle import Models
from models.fake import fake_models
from packshot.contract import Lane, Step
from packshot.errors import PackshotError
from packshot.settings import Settings
from packshot.telemetry import action
from tasks.app import STAGES, create_app
from tasks.delivery import Next, nowhere
from tasks.intake import Intake
from tasks.relay import Relay
from tasks.runner import Runner
from tasks.topology import ensure
from workers.consumer import GuestConsumer, SafeConsumer
from workers.health import Probes
from workers.housekeeping import Housekeeper
from workers.intake import IntakeConsumer
from workers.leases import Leases
from workers.monitoring import describe, serving
from workers.onward import Onward
from workers.pool import LanePool
from workers.roles import Role
from workers.services import build, connections_for, load_models
from workers.watchdog import Watchdog

log = logging.getLogger(__name__)

#: Exit code of a worker that has to be replaced (EX_TEMPFAIL): one of its steps hangs.
HUNG = 75
#: Seconds between two looks whether only hung steps are left.
LEAVE_TICK_SECONDS = 0.2


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


class Worker:
    """One worker process: everything that has to be started and stopped, in its order."""

    def __init__(self, settings: Settings, options: Options) -> None:
        self.name = _unique(options)
        self._settings = settings
        self._options = options
        self.services = build(
            settings,
            _models(settings, options),
            worker=self.name,
            connections=connections_for(options.concurrency),
        )
        self.services.blobs.check()
        self._onward = Onward(options.role.queues(options.lanes))
        self.runner = Runner(
            self.services,
            STAGES,
            watch=self._delivered,
            goes_on=nowhere if settings.hop_each_step else self._onward,
        )
        self.app = create_app(settings, self.runner)
        self.app.conf.worker_consumer = SafeConsumer if settings.declare_queues else GuestConsumer
        self._exit_code: int | None = None
        self._left = threading.Event()
        self._relay = Relay(
            self.app,
            self.services.outbox,
            declare=settings.declare_queues,
            tracing=self.services.tracing,
        )
        self._watchdog = Watchdog(self.runner.running, settings.step_seconds, self._replace)
        self._intake: IntakeConsumer | None = None
        self._housekeeper: Housekeeper | None = None
        if options.role.intake:
            self._intake = IntakeConsumer(
                Intake(self.app, self.services.ledger, self.services.tracing),
                broker_url=settings.broker_url.get_secret_value(),
                queue_limit=settings.queue_limit,
                make_queues=settings.declare_queues,
            )
            self._housekeeper = Housekeeper(
                self.app,
                self.services.ledger,
                seconds=settings.reconcile_seconds,
                lease_seconds=settings.lease_seconds,
                reviews=self.services.reviews,
                blobs=self.services.blobs,
            )

    def _delivered(self, _job: UUID, step: Step, fate: Next) -> None:
        """A job that has ended has written an event: it does not wait for the relay's next look."""
        if step is Step.FINISH or fate in {Next.STOP, Next.DEAD}:
            self._relay.wake()

    def run(self) -> int:
        """Serve until told to stop; returns the exit code."""
        running, options = self.runner.running, self._options
        describe(
            options.role.name,
            options.concurrency,
            self.services.models,
            lambda: len(running.slots()),
        )
        with serving(self._settings):
            return self._serve()

    def _serve(self) -> int:
        self._install()
        with self.app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=None, interval_start=0.5, interval_max=5)
            make = self._settings.declare_queues
            ensure(connection, self._settings.queue_limit, make=make)
        leases = Leases(self.services.ledger, self.runner.running, self._settings.lease_seconds)
        with leases:
            self._relay.start()
            self._watchdog.start()
            if self._housekeeper:
                self._housekeeper.start()
            try:
                code = self._consume()
            finally:
                self._stop()
        return self._exit_code if self._exit_code is not None else code

    def _install(self) -> None:
        """Hang our parts into Celery's start and stop."""
        if self._options.probes:
            self._options.probes.install(self.app)
        if self._intake:
            _install_intake(self.app, self._intake)
        worker_shutting_down.connect(self._begin_drain, weak=False)

    def _begin_drain(self, **_: Any) -> None:
        """Runs in a signal handler: starts things, waits for nothing."""
        if self._intake:
            self._intake.stop(timeout=0)
        timer = threading.Timer(self._settings.drain_seconds, self._hand_back)
        timer.daemon = True
        timer.start()

    def _replace(self) -> None:
        """A step hangs: drain as on SIGTERM, and ask for a new process."""
        self._exit_code = HUNG
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Thread(target=self._leave_hung, name="leave", daemon=True).start()

    def _leave_hung(self) -> None:
        """End as soon as only hung steps are left; nobody can wait for those."""
        while not all(slot.forsaken for slot in self.runner.running.slots()):
            self._left.wait(LEAVE_TICK_SECONDS)
        self._hand_back()

    def _hand_back(self) -> None:
        """The drain takes too long: release what still runs, and end without waiting for it."""
        for slot in self.runner.running.slots():
            if slot.forsaken:
                continue
            ticket = slot.ticket
            log.warning(
                "%s of job %s is handed back",
                *(ticket.step, ticket.id),
                extra=action("step.handed_back", job=str(ticket.id), step=ticket.step),
            )
            try:
                self.services.ledger.release(ticket)
            except PackshotError as error:
                log.warning("%s of job %s: %s", ticket.step, ticket.id, error)
        self._relay.stop()
        # Threads that hang cannot be joined, and the interpreter would wait for them.
        os._exit(self._exit_code or 0)

    def _stop(self) -> None:
        if self._intake:
            self._intake.stop()
        if self._housekeeper:
            self._housekeeper.stop()
        self._watchdog.stop()
        self._relay.stop()
        self.services.tracing.close()

    def _consume(self) -> int:
        options = self._options
        queues = ",".join(options.role.queues(options.lanes))
        worker = self.app.Worker(
            hostname=self.name,
            pool=LanePool,
            concurrency=options.concurrency,
            queues=queues,
            task_events=True,
            without_gossip=True,
            without_mingle=True,
            quiet=True,
        )
        self._onward.pool = worker.pool
        log.info("%s serves %s", self.name, queues)
        worker.start()
        return int(worker.exitcode or 0)


def run_worker(settings: Settings, options: Options) -> int:
    """Run one worker until it is told to stop; returns the exit code."""
    return Worker(settings, options).run()


def _models(settings: Settings, options: Options) -> Models:
    if options.fake_seconds is None:
        return load_models(settings, options.role.steps, callers=options.concurrency)
    log.warning("answering with fake models: every result of this worker is made up")
    return fake_models(seconds=options.fake_seconds)


def _unique(options: Options) -> str:
    """A name that no other worker has, nor this one's predecessor after a restart.

    Two workers of one name cannot share a broker. In a container the process id is always the same
    and the host name survives a restart.
    """
    name = options.name or f"{options.role.name}@{socket.gethostname()}"
    first, _, host = name.partition("@")
    return f"{first}-{secrets.token_hex(3)}@{host or socket.gethostname()}"


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
