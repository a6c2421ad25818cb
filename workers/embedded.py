"""Packshot without any server: memory broker, SQLite and a folder, in this process.

The application, the tasks and the workflow are those of the fleet; only the transports differ.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from celery import Celery
from celery.worker import state
from pydantic import SecretStr

from models.bundle import Models
from packshot.contract import Job, Step
from packshot.errors import Transient
from packshot.settings import Settings
from packshot.store.engine import open_engine
from packshot.store.review_items import Restart
from tasks.app import STAGES, create_app
from tasks.delivery import Next, nowhere
from tasks.runner import Runner
from tasks.services import Services
from tasks.workflow import restarter, start
from workers.consumer import SafeConsumer
from workers.database import upgrade
from workers.leases import Leases
from workers.onward import Onward
from workers.pool import LanePool
from workers.roles import ROLES
from workers.services import build
from workers.sweeper import Sweeper

log = logging.getLogger(__name__)

#: Told of every finished step: the job and the step; the step is None when the job is settled.
Progress = Callable[[UUID, Step | None], None]

#: Name of the one worker of an embedded run.
WORKER = "packshot@embedded"

#: Seconds between two looks of the worker's loop whether it has to stop.
TICK_SECONDS = 0.05

#: Seconds that the worker's thread gets to finish the steps at hand.
DRAIN_SECONDS = 120.0


def settings_for(folder: Path) -> Settings:
    """The settings of an embedded run that keeps everything in `folder`.

    The environment's other settings hold; its servers are not used.
    """
    own = {
        "data": folder,
        "broker_url": SecretStr("memory://localhost/"),
        "database_url": None,
        "blobs": None,
        "redis_url": None,
        "allow_files": True,
        # A person who runs this looks at every picture anyway.
        "audit_rate": 0.0,
    }
    return Settings.load().model_copy(update=own)


class _PromptConsumer(SafeConsumer):
    """Celery's loop for brokers without a socket looks up only every two seconds: to stop, too."""

    loop: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        wait = self.loop

        def loop(consumer: Any, connection: Any, *rest: Any, **more: Any) -> Any:
            drain = connection.drain_events
            connection.drain_events = lambda **_: drain(timeout=TICK_SECONDS)
            return wait(consumer, connection, *rest, **more)

        self.loop = loop


class _Tidy:
    """Runs a function every second in a thread."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tidy", daemon=True)
        self.start = self._thread.start

    def stop(self) -> None:
        """End it."""
        self._stopping.set()
        self._thread.join(10.0)

    def _run(self) -> None:
        while not self._stopping.wait(1.0):
            try:
                self._work()
            except Transient as error:
                log.warning("tidying waits: %s", error)


class Embedded:
    """One run. Jobs that an earlier run left unfinished go on where they were."""

    def __init__(self, settings: Settings, models: Models, *, concurrency: int) -> None:
        settings.data.mkdir(parents=True, exist_ok=True)
        upgrade(open_engine(settings.ledger_url))
        self.services: Services = build(
            settings, models, worker=WORKER, connections=concurrency + 2
        )
        # Whoever had this folder before us is gone: one folder, one run.
        self.services.ledger.abandon(WORKER)
        self._runner = Runner(
            self.services,
            STAGES,
            watch=self._watch,
            goes_on=nowhere if settings.hop_each_step else Onward(ROLES["all"].queues()),
            mended=False,
        )
        self._leases = Leases(self.services.ledger, self._runner.running, settings.lease_seconds)
        self._sweeper = Sweeper(self.services.blobs)
        self._settings = settings
        self._concurrency = concurrency
        self._open: set[UUID] = set()
        self._lock = threading.Lock()
        self._settled = threading.Event()
        self._progress: Progress | None = None
        self._app = self._create_app()

    def _create_app(self) -> Celery:
        app = create_app(self._settings, self._runner)
        app.conf.update(
            broker_transport_options={"polling_interval": 0.02},
            worker_send_task_events=False,
            task_send_sent_event=False,
            worker_detect_quorum_queues=False,  # the memory transport has no delayed exchanges
            worker_enable_remote_control=False,
            worker_consumer=_PromptConsumer,
        )
        return app

    def process(self, jobs: Iterable[Job], progress: Progress | None = None) -> list[UUID]:
        """Run every job to its end; returns their ids in order. Ctrl-C drains and raises."""
        self._progress = progress
        ids, waiting = self._submit(list(jobs))
        with self._leases, self._worker():
            # Published while the first ones run: none of them waits for the last to be published.
            for row, (job, step) in waiting.items():
                self._skip_done(row, job, step)
                start(self._app, row, job, first=step)
            while not self._settled.wait(0.5):
                pass  # a bare wait would not let Ctrl-C through on every platform
        self._write_events()
        return ids

    @contextmanager
    def serving(self, jobs: Iterable[Job]) -> Iterator[Callable[[Restart], None]]:
        """Work until the context ends: first on these jobs, then on whatever is restarted.

        Yields what publishes a corrected or retried job. Jobs that an earlier run left unfinished
        go on, whoever submitted them.
        """
        ids = {self.services.ledger.submit(job).id for job in jobs}
        tidy = _Tidy(self._tidy)
        with self._leases, self._worker():
            for row, job, step in self.services.ledger.unfinished():
                start(self._app, row, job, first=step)
            log.info("%d photos", len(ids))
            tidy.start()
            try:
                yield restarter(self._app)
            finally:
                tidy.stop()
        self._write_events()

    def _tidy(self) -> None:
        """What housekeepers and relays do in a fleet."""
        self._write_events()
        self._sweeper.sweep_when_due()
        if self.services.reviews:
            self.services.reviews.expire()

    def _submit(self, jobs: list[Job]) -> tuple[list[UUID], dict[UUID, tuple[Job, Step]]]:
        """Insert the jobs; returns their ids, and of those that are not done where they go on."""
        ledger = self.services.ledger
        ids = [ledger.submit(job).id for job in jobs]
        unfinished = {row: (job, step) for row, job, step in ledger.unfinished()}
        waiting = {row: unfinished[row] for row in ids if row in unfinished}
        self._open = set(waiting)
        if not self._open:
            self._settled.set()
        for row in ids:
            if row not in waiting:
                self._tell(row, None)
        return ids, waiting

    def _skip_done(self, row: UUID, job: Job, first: Step) -> None:
        for step in job.chain[: job.chain.index(first)]:
            self._tell(row, step)

    def _watch(self, row: UUID, step: Step, fate: Next) -> None:
        if fate in {Next.AGAIN, Next.LATER}:
            return
        self._tell(row, step)
        if fate is Next.STOP or step is Step.FINISH:
            self._tell(row, None)
            with self._lock:
                self._open.discard(row)
                if not self._open:
                    self._settled.set()

    def _tell(self, row: UUID, step: Step | None) -> None:
        if self._progress:
            self._progress(row, step)

    @contextmanager
    def _worker(self) -> Iterator[None]:
        controller = self._app.WorkController(
            hostname=WORKER,
            pool=LanePool,
            concurrency=self._concurrency,
            queues=",".join(ROLES["all"].queues()),
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
        )
        # Parts of Celery ask for the default application: without this they would wait for a
        # broker at the default address, silently and for ever.
        self._app.set_default()
        thread = threading.Thread(target=controller.start, name="worker", daemon=True)
        thread.start()
        try:
            yield
        finally:
            # Celery's own switch for a warm stop: running steps end, reserved ones are given up;
            # the ledger knows where each job is.
            state.should_stop = 0
            thread.join(DRAIN_SECONDS)
            state.should_stop = None

    def _write_events(self) -> None:
        """Append the events to a file: what an upstream service would have received."""
        with (self._settings.data / "events.jsonl").open("a", encoding="utf-8") as file:

            def write(_kind: str, event: dict[str, Any]) -> None:
                file.write(json.dumps(event, ensure_ascii=False) + "\n")

            while self.services.outbox.relay(write):
                pass
