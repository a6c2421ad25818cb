"""Jobs through real servers and real workers: `python -m tests.benchmarks.fleet`.

Starts RabbitMQ, Postgres and S3 of its own and some workers, publishes every job at once and counts
what comes back: results, final events, dead letters, jobs per second; and what each process used.
"""

import argparse
import statistics
import sys
import time
from collections import Counter

from packshot.client import Client
from packshot.contract import DEAD_QUEUE, REJECTED_QUEUE
from packshot.store.engine import open_engine
from packshot.store.views import JobView, Views
from tests.benchmarks.rig import Spent, installation, jobs, servers_cpu
from tests.support.fleet import Fleet, Listener, depth

#: Longest run, seconds.
PATIENCE = 1800.0


def main() -> int:
    """Run once and print what happened; exit code 1 unless every job ended exactly once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--roles", default="all,all", help="a worker for each, such as io,gpu")
    parser.add_argument("--concurrency", type=int, help="steps at once; default: the role's")
    parser.add_argument("--side", type=int, default=1000, help="longer side of a photo, pixels")
    given = parser.parse_args()
    with installation() as fleet:
        wanted = jobs(fleet, range(given.jobs), given.side)
        listener = Listener(fleet.settings["PACKSHOT_BROKER_URL"])
        roles = given.roles.split(",")
        more = ("--concurrency", str(given.concurrency)) if given.concurrency else ()
        for role in roles:
            fleet.start(role, *more)
        idle = [Spent.of(worker.pid) for worker in fleet.workers]
        servers = servers_cpu()
        started = time.monotonic()
        with Client(fleet.settings["PACKSHOT_BROKER_URL"]) as client:
            for job in wanted:
                client.submit(job)
        published = time.monotonic() - started
        listener.wait(len(wanted), PATIENCE)
        seconds = time.monotonic() - started
        spent = [Spent.of(worker.pid) for worker in fleet.workers]
        used = {name: cpu - servers[name] for name, cpu in servers_cpu().items()}
        exits = fleet.close()
        listener.quiet(2)
        for role, before, after in zip(roles, idle, spent, strict=True):
            cpu = (after.cpu - before.cpu) / given.jobs * 1000
            print(f"{role:12}   {before.peak:5.0f} MiB idle, peak {after.peak:5.0f} MiB, "
                  f"{cpu:5.0f} ms CPU a job")  # fmt: skip
        for name, cpu in used.items():
            print(f"{name:12}   {cpu / given.jobs * 1000:34.0f} ms CPU a job")
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
