"""How long a live job takes, alone and beside a bulk load: `python -m tests.benchmarks.live`.

Workers with the real models on servers of their own. First live jobs one after the other with
nothing else to do; then the same while more bulk jobs wait than the fleet can do in that time. What
is measured is what a caller sees: from the submit to the event.
"""

import argparse
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from packshot.client import Client
from packshot.contract import Job, Lane
from packshot.store.engine import open_engine
from packshot.store.views import Views
from tests.benchmarks.rig import installation, jobs
from tests.support.fleet import Fleet, Listener

#: Longest wait for one live job, seconds.
PATIENCE = 300.0
#: Bulk jobs that wait for each live job: more than can be done while it is.
BULK_FOR_EACH = 16


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds of the live jobs of one situation."""

    seconds: Sequence[float]

    def quantile(self, share: float) -> float:
        """The smallest time that this share of the jobs did not exceed."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def __str__(self) -> str:
        p50, p95, p99 = (self.quantile(share) for share in (0.5, 0.95, 0.99))
        return f"p50 {p50:5.2f} s   p95 {p95:5.2f} s   p99 {p99:5.2f} s   {len(self.seconds)} jobs"


def main() -> int:
    """Measure both and compare with the bar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=40, help="live jobs in each situation")
    parser.add_argument("--roles", default="all,all", help="a worker for each")
    parser.add_argument("--side", type=int, default=1000, help="longer side of a photo, pixels")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two live jobs")
    given = parser.parse_args()
    count = given.jobs
    with installation() as fleet:
        live = jobs(fleet, range(2 * count), given.side, lane=Lane.LIVE)
        more = jobs(fleet, range(10_000, 10_000 + count * BULK_FOR_EACH), given.side)
        for role in given.roles.split(","):
            fleet.start(role)
        idle = timed(fleet, live[:count], given.pause)
        with Client(fleet.settings["PACKSHOT_BROKER_URL"]) as client:
            for job in more:
                client.submit(job)
        loaded = timed(fleet, live[count:], given.pause)
        engine = open_engine(fleet.settings["PACKSHOT_DATABASE_URL"])
        views = Views(engine).jobs("bench")
        engine.dispose()
    done = sum(view.lane == Lane.BULK and view.finished_at is not None for view in views)
    waiting = len(more) - done
    steps = [step.seconds for view in views for step in view.steps if step.seconds]
    batch = max(steps, default=0.0)
    bar = 2 * idle.quantile(0.5) + batch
    print(f"idle        {idle}")
    print(f"bulk load   {loaded}")
    print("in order    " + " ".join(f"{one:.1f}" for one in loaded.seconds))
    print(f"bulk jobs that still wait after the last live one: {waiting} of {len(more)}")
    print(f"longest step {batch:.2f} s, median {statistics.median(steps):.2f} s")
    print(f"p95 under load {loaded.quantile(0.95):.2f} s; twice the idle p50 + a step: {bar:.2f} s")
    return 0 if waiting else 1


def timed(fleet: Fleet, wanted: Sequence[Job], pause: float) -> Latency:
    """Submit one after the other and wait for each one's event."""
    url = fleet.settings["PACKSHOT_BROKER_URL"]
    took = []
    with closing(Listener(url)) as listener, Client(url) as client:
        for job in wanted:
            started = time.monotonic()
            client.submit(job)
            while not any(event["data"]["job_id"] == job.job_id for event in listener.events):
                listener.events.clear()
                listener.wait(1, PATIENCE)
            took.append(time.monotonic() - started)
            threading.Event().wait(pause)
    return Latency(took)


if __name__ == "__main__":
    sys.exit(main())
