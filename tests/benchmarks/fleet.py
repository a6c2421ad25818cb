"""Jobs through real servers and real workers: `python -m tests.benchmarks.fleet`.

Starts RabbitMQ, Postgres and S3 of its own and some workers, publishes every job at once and counts
what comes back: results, final events, dead letters, jobs per second; and what each worker used.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import psutil

from packshot.client import Client
from packshot.contract import DEAD_QUEUE, REJECTED_QUEUE, Image, Job, Output
from packshot.store.engine import open_engine
from packshot.store.views import JobView, Views
from tests.support.fleet import Fleet, Listener, depth, environment, settings_of
from tests.support.postgres_server import PrivatePostgres
from tests.support.rabbit_node import RabbitNode
from tests.support.s3_server import S3Server
from tests.support.server import Guard
from workers.samples import photos
from workers.services import open_store

#: What a listing service asks for.
OUTPUTS = (
    Output(name="cutout"),
    Output(name="main", background="#ffffff", format="jpeg", size=1000, fill=0.85),
)
#: Longest run, seconds.
PATIENCE = 1800.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process has used: most memory it ever had (MiB), CPU time (seconds)."""

    peak: float
    cpu: float

    @classmethod
    def of(cls, pid: int) -> "Spent":
        """Until now."""
        status = Path(f"/proc/{pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        times = psutil.Process(pid).cpu_times()
        return cls(int(line.split()[1]) / 1024, times.user + times.system)


@contextmanager
def installation() -> Iterator[Fleet]:
    """Servers and an empty installation on them."""
    with ExitStack() as stack:
        guard = Guard()
        stack.callback(guard.close)
        rabbit, postgres, s3 = RabbitNode(guard), PrivatePostgres(guard), S3Server(guard)
        for server in (rabbit, postgres, s3):
            server.start()
            stack.callback(server.remove)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = rabbit.broker.url(rabbit.broker.create_vhost())
        settings = environment(url, postgres.url(postgres.create()), s3.create_bucket())
        fleet = Fleet({**settings, "PACKSHOT_LEASE_SECONDS": "30"}, folder)
        stack.callback(fleet.close)
        fleet.packshot("db", "upgrade")
        fleet.packshot("broker", "setup")
        yield fleet


def jobs(fleet: Fleet, count: int, side: int) -> list[Job]:
    """Sample photos at `side` pixels, every one with bytes of its own: nothing is reused."""
    store = open_store(settings_of(fleet.settings))
    made = []
    pictures = [cv2.imread(str(path)) for path in photos()]
    for number in range(count):
        picture = pictures[number % len(pictures)]
        assert picture is not None
        factor = side / max(picture.shape[:2])
        sized = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        sized[0, 0] = (number % 256, number // 256, 7)
        data = cv2.imencode(".jpg", sized, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
        store.put(f"uploads/{number}.jpg", data, "image/jpeg")
        uri = f"{fleet.settings['PACKSHOT_BLOBS']}/uploads/{number}.jpg"
        made.append(
            Job(
                version=1,
                source="bench",
                job_id=str(number),
                image=Image(uri=uri),
                outputs=OUTPUTS,
            )
        )
    return made


def main() -> int:
    """Run once and print what happened; exit code 1 unless every job ended exactly once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--roles", default="all,all", help="a worker for each, such as io,gpu")
    parser.add_argument("--concurrency", type=int, help="steps at once; default: the role's")
    parser.add_argument("--side", type=int, default=1000, help="longer side of a photo, pixels")
    given = parser.parse_args()
    with installation() as fleet:
        wanted = jobs(fleet, given.jobs, given.side)
        listener = Listener(fleet.settings["PACKSHOT_BROKER_URL"])
        roles = given.roles.split(",")
        more = ("--concurrency", str(given.concurrency)) if given.concurrency else ()
        for role in roles:
            fleet.start(role, *more)
        idle = [Spent.of(worker.pid) for worker in fleet.workers]
        started = time.monotonic()
        with Client(fleet.settings["PACKSHOT_BROKER_URL"]) as client:
            for job in wanted:
                client.submit(job)
        published = time.monotonic() - started
        listener.wait(len(wanted), PATIENCE)
        seconds = time.monotonic() - started
        spent = [Spent.of(worker.pid) for worker in fleet.workers]
        exits = fleet.close()
        listener.quiet(2)
        for role, before, after in zip(roles, idle, spent, strict=True):
            cpu = (after.cpu - before.cpu) / given.jobs * 1000
            print(f"{role:12}   {before.peak:5.0f} MiB idle, peak {after.peak:5.0f} MiB, "
                  f"{cpu:5.0f} ms CPU a job")  # fmt: skip
        return report(fleet, listener, given.jobs, published, seconds, exits)


def report(
    fleet: Fleet, listener: Listener, count: int, published: float, seconds: float, exits: list[int]
) -> int:
    """Print what the ledger, the queues and the listener say."""
    engine = open_engine(fleet.settings["PACKSHOT_DATABASE_URL"])
    views = Views(engine).jobs("bench")
    engine.dispose()
    once = {event["id"]: event["subject"] for event in listener.events}
    twice = sum(number - 1 for number in Counter(once.values()).values())
    url = fleet.settings["PACKSHOT_BROKER_URL"]
    results = sum(view.result is not None for view in views)
    dead = depth(url, DEAD_QUEUE) + depth(url, REJECTED_QUEUE)
    print(f"published      {count} jobs in {published:.1f} s")
    print(f"results        {results} of {count}")
    print(f"final events   {len(once)}, doubled {twice}")
    print(f"dead letters   {dead}")
    print(f"states         {dict(Counter(view.status for view in views))}")
    print(f"attempts       {dict(Counter(s.attempt for v in views for s in v.steps))}")
    print(f"exit codes     {exits}")
    print(f"jobs per s     {count / seconds:.2f} over {seconds:.1f} s")
    for name, each in _seconds(views).items():
        print(f"  {name:12} median {statistics.median(each) * 1000:5.0f} ms")
    good = results == len(once) == count and not twice and not dead
    return 0 if good else 1


def _seconds(views: list[JobView]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for view in views:
        for step in view.steps:
            if step.seconds is not None:
                found.setdefault(step.name, []).append(step.seconds)
    return found


if __name__ == "__main__":
    sys.exit(main())
