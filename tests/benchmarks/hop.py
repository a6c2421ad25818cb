"""What the ledger costs on the way of a job: `python -m tests.benchmarks.hop`.

One worker with the product's application and one thread, on a RabbitMQ and a Postgres of its own,
passes jobs through their five hops: once with steps that do nothing, once with steps that only
begin and commit. The rounds alternate, so that the ratio is what to read.
"""

import argparse
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from kombu import Connection
from pydantic import SecretStr

from packshot.contract import Image, Job, Lane, Step, queue_name
from packshot.settings import Settings
from packshot.store.engine import open_engine
from packshot.store.ledger import Ledger, Outcome
from tasks import workflow
from tasks.app import create_app
from tasks.delivery import End, Next
from tasks.runner import Runner
from tasks.topology import declare
from tests.support.postgres_server import PrivatePostgres
from tests.support.rabbit_node import RabbitNode
from tests.support.server import Guard
from workers.consumer import SafeConsumer
from workers.database import upgrade

#: Longest wait for a round, seconds.
PATIENCE = 300.0
#: What a step of a job does.
Body = Callable[[UUID, Step], object]


class Course:
    """In the place of a runner: does a step's body and tells when the last job has passed."""

    services = SimpleNamespace(worker="hop@benchmark")

    def __init__(self) -> None:
        self.body: Body = lambda _job, _step: None
        self._left = 0
        self._done = threading.Event()

    def deliver(self, job_id: UUID, step: Step, **_: Any) -> End:
        """One hop. Only one thread works, so that counting needs no lock."""
        self.body(job_id, step)
        if step is Step.FINISH:
            self._left -= 1
            if self._left == 0:
                self._done.set()
        return End(Next.HAND_ON, step, _job("any").after(step))

    def run(self, start: Callable[[UUID], None], rows: list[UUID]) -> tuple[float, float]:
        """CPU of this process and wall clock until all have passed, seconds."""
        self._left = len(rows)
        self._done.clear()
        cpu, wall = time.process_time(), time.perf_counter()
        for row in rows:
            start(row)
        if not self._done.wait(PATIENCE):
            raise SystemExit("the worker has stopped")
        return time.process_time() - cpu, time.perf_counter() - wall


@contextmanager
def course() -> Iterator[tuple[Course, Ledger, Callable[[UUID], None]]]:
    """Servers, an installation on them, a worker, and what starts a job."""
    with ExitStack() as stack:
        guard = Guard()
        stack.callback(guard.close)
        rabbit, postgres = RabbitNode(guard), PrivatePostgres(guard)
        for server in (rabbit, postgres):
            server.start()
            stack.callback(server.remove)
        url = rabbit.broker.url(rabbit.broker.create_vhost())
        settings = Settings.load().model_copy(update={"broker_url": SecretStr(url)})
        with Connection(url) as connection:
            declare(connection, settings.queue_limit)
        engine = open_engine(postgres.url(postgres.create()))
        stack.callback(engine.dispose)
        upgrade(engine)
        made = Course()
        app = create_app(settings, cast("Runner", made))
        app.set_default()
        app.conf.worker_consumer = SafeConsumer
        worker = app.WorkController(
            hostname=made.services.worker,
            pool="threads",
            concurrency=1,
            queues=",".join(queue_name(step, Lane.BULK) for step in Step),
            quiet=True,
        )
        thread = threading.Thread(target=worker.start, daemon=True)
        thread.start()
        job = _job("any")
        yield made, Ledger(engine, pipeline="benchmark"), lambda row: workflow.start(app, row, job)
        worker.stop()
        thread.join(30)


def main() -> int:
    """Measure and print medians of the rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100, help="jobs in each round")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {"nothing": [], "begin and commit": []}
    with course() as (way, ledger, start):
        nothing = way.body

        def step(row: UUID, step: Step) -> None:
            ticket = ledger.begin(row, step, worker=way.services.worker)
            ledger.commit(ticket, Outcome({"a": 1}, 0.9))

        for number in range(given.rounds + 1):  # the first one warms up
            for name, body in (("nothing", nothing), ("begin and commit", step)):
                jobs = [_job(f"{name} {number} {one}") for one in range(given.jobs)]
                rows = [ledger.submit(job).id for job in jobs]
                way.body = body
                each = way.run(start, rows)
                if number:
                    found[name].append(each)
    hops = given.jobs * len(Step)
    for name, rounds in found.items():
        cpu, wall = (statistics.median(one) * 1000 / hops for one in zip(*rounds, strict=True))
        print(f"a hop with {name:18} {cpu:6.2f} ms CPU, {wall:6.2f} ms")
    for place, what in enumerate(("CPU", "wall clock")):
        pairs = zip(found["begin and commit"], found["nothing"], strict=True)
        ratio = statistics.median(full[place] / bare[place] for full, bare in pairs)
        print(f"begin and commit: {ratio:.2f} times a hop that does nothing, in {what}")
    return 0


def _job(name: str) -> Job:
    return Job(version=1, source="benchmark", job_id=name, image=Image(uri="s3://in/photo.jpg"))


if __name__ == "__main__":
    sys.exit(main())
