"""Whether ten thousand queued jobs cost more each than a hundred.

    python -m tests.benchmarks.many

Workers with models that take no time on servers of their own, so that what is left is Packshot. It
also tells how the workers' memory grows.
"""

import argparse
import base64
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

import cv2
import numpy as np
import psutil

from packshot.client import Client
from packshot.contract import Image, Job, Output
from tests.benchmarks.rig import Spent, installation, servers_cpu
from tests.support.fleet import Fleet, Listener

#: Jobs before anything is measured, and jobs after which memory is: caches are full by then.
FIRST, WARM = 50, 1500
#: Longest wait for the next hundred events, seconds.
PATIENCE = 120.0
OUTPUTS = (Output(name="cutout"),)


@dataclass
class Run:
    """What a number of queued jobs took. CPU in seconds of workers and servers, memory in MiB."""

    jobs: int
    seconds: float = 0.0
    cpu: float = 0.0
    memory: list[tuple[int, float]] = field(default_factory=list)

    def growth(self) -> float | None:
        """MiB for each thousand jobs from `WARM` on, by least squares; None with too few looks."""
        late = [(jobs, memory) for jobs, memory in self.memory if jobs >= WARM]
        if len(late) < 3:
            return None
        slope = np.polyfit([jobs for jobs, _ in late], [memory for _, memory in late], 1)[0]
        return float(slope) * 1000


def main() -> int:
    """Measure few, many, and few again in the full ledger."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    with installation() as fleet:
        for _ in range(given.workers):
            fleet.start("all", "--fake-models", "0")
        run(fleet, "first", FIRST)
        before = run(fleet, "before", given.few)
        many = run(fleet, "many", given.jobs)
        after = run(fleet, "after", given.few)
    for name, one in (("few", before), ("many", many), ("few after", after)):
        print(f"{name:10} {one.jobs:6} jobs   {one.seconds / one.jobs * 1000:7.1f} ms a job   "
              f"{one.cpu / one.jobs * 1000:7.1f} ms CPU a job")  # fmt: skip
    few = (before.cpu / before.jobs + after.cpu / after.jobs) / 2
    print(f"CPU a job, many against few: {many.cpu / many.jobs / few:.3f}")
    if (growth := many.growth()) is not None:
        print(f"memory of the workers: {growth:+.2f} MiB for each 1,000 jobs after {WARM}")
    for jobs, memory in many.memory[:: max(1, len(many.memory) // 10)]:
        print(f"  after {jobs:6} jobs   {memory:7.1f} MiB")
    return 0


def run(fleet: Fleet, name: str, count: int) -> Run:
    """Publish `count` jobs as fast as the broker takes them, and wait for their events."""
    url = fleet.settings["PACKSHOT_BROKER_URL"]
    made, wanted = Run(count), list(orders(name, count))
    with closing(Listener(url)) as listener, Client(url) as client:
        cpu, started = _cpu(fleet), time.monotonic()
        for job in wanted:
            client.submit(job)
        for goal in range(min(100, count), count + 1, 100):
            listener.wait(goal, PATIENCE)
            made.memory.append((goal, sum(_memory(fleet))))
        listener.wait(count, PATIENCE)
        made.seconds, made.cpu = time.monotonic() - started, _cpu(fleet) - cpu
    return made


def orders(name: str, count: int) -> Iterator[Job]:
    """Jobs with small photos of their own, carried in the message."""
    for number in range(count):
        noise = np.random.default_rng(number).integers(0, 256, (6, 8, 3), np.uint8)
        picture = cv2.resize(noise, (240, 180), interpolation=cv2.INTER_CUBIC)
        data = base64.b64encode(cv2.imencode(".jpg", picture)[1].tobytes()).decode()
        yield Job(
            version=1,
            source="bench",
            job_id=f"{name}-{number}",
            image=Image(uri=f"data:image/jpeg;base64,{data}"),
            outputs=OUTPUTS,
        )


def _cpu(fleet: Fleet) -> float:
    return sum(servers_cpu().values()) + sum(Spent.of(one.pid).cpu for one in fleet.workers)


def _memory(fleet: Fleet) -> Iterator[float]:
    for worker in fleet.workers:
        yield psutil.Process(worker.pid).memory_info().rss / 2**20


if __name__ == "__main__":
    sys.exit(main())
