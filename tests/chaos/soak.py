"""`python -m tests.chaos.soak`: a fleet under moderate load for an hour; what grows, and how fast?

Memory, threads, file handles and connections must be flat after the warm-up; the database grows by
what it is there to keep, which is given for each thousand jobs.
"""

import argparse
import dataclasses
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from packshot.client import Client
from packshot.contract import Image, Job
from tests.benchmarks.rig import installation
from tests.chaos.checker import plain
from tests.chaos.load import OUTPUTS, photo
from tests.support.fleet import Fleet, settings_of
from workers.services import open_store

#: Different photos; a job's number picks one, and every tenth job shows one that came before.
PHOTOS = 400
#: Share of the run that counts as warm-up: pools fill and allocators settle.
WARM_UP = 0.25
#: Growth that counts as flat, for each thousand jobs after the warm-up.
FLAT = {"rss_mb": 1.0, "threads": 0.5, "files": 0.5, "connections": 0.5}

_DATABASE = """
    SELECT (SELECT count(*) FROM jobs WHERE status IN ('accepted', 'review', 'failed')),
           (SELECT count(*) FROM jobs),
           (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()),
           pg_database_size(current_database()),
           (SELECT count(*) FROM outbox WHERE published_at IS NULL)
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at everything; sums over all workers."""

    seconds: float
    done: int
    backlog: int
    rss_mb: float
    threads: int
    files: int
    connections: int
    database_mb: float
    outbox: int


def look(fleet: Fleet, began: float) -> Sample:
    """Take a sample."""
    with psycopg.connect(plain(fleet.settings["PACKSHOT_DATABASE_URL"])) as db:
        row = db.execute(_DATABASE).fetchone()
    assert row is not None
    done, jobs, connections, size, outbox = (int(one) for one in row)
    processes = [psutil.Process(worker.pid) for worker in fleet.workers]
    return Sample(
        seconds=round(time.monotonic() - began, 1),
        done=done,
        backlog=jobs - done,
        rss_mb=round(sum(one.memory_info().rss for one in processes) / 2**20, 1),
        threads=sum(one.num_threads() for one in processes),
        files=sum(one.num_fds() for one in processes),
        connections=connections - 1,  # without this one
        database_mb=round(size / 2**20, 2),
        outbox=outbox,
    )


def growth(samples: Sequence[Sample], of: Callable[[Sample], float]) -> float:
    """Growth for each thousand jobs after the warm-up, as the slope of a straight line."""
    steady = samples[int(len(samples) * WARM_UP) :]
    jobs = [one.done / 1000 for one in steady]
    return statistics.linear_regression(jobs, [of(one) for one in steady]).slope


def main() -> int:
    """Run, print, and fail if something that should be flat is not."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=2.0, help="jobs a second")
    parser.add_argument("--every", type=float, default=20.0, help="seconds between two samples")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every sample there")
    given = parser.parse_args()
    with installation() as fleet:
        store = open_store(settings_of(fleet.settings))
        for number in range(PHOTOS):
            store.put(f"uploads/{number}.jpg", photo(number), "image/jpeg")
        for role in ("all", "all"):
            fleet.start(role, "--fake-models", "0.05")
        samples = _load(fleet, given.minutes * 60, given.rate, given.every)
        exits = fleet.close()
    if given.json:
        given.json.write_text(json.dumps([dataclasses.asdict(one) for one in samples]) + "\n")
    return report(samples, exits)


def _load(fleet: Fleet, seconds: float, rate: float, every: float) -> list[Sample]:
    began = time.monotonic()
    rng, samples, sent, looked = random.Random(1), [], 0, 0.0
    with Client(fleet.settings["PACKSHOT_BROKER_URL"]) as client:
        while (now := time.monotonic() - began) < seconds:
            if now >= looked:
                samples.append(look(fleet, began))
                print(samples[-1], flush=True)
                looked += every
            client.submit(_job(fleet, sent))
            sent += 1
            # Arrivals are random, as customers are (a Poisson process).
            time.sleep(rng.expovariate(rate))
    samples.append(look(fleet, began))
    return samples


def _job(fleet: Fleet, number: int) -> Job:
    uri = f"{fleet.settings['PACKSHOT_BLOBS']}/uploads/{number % PHOTOS}.jpg"
    return Job(
        version=1,
        source="soak",
        job_id=str(number),
        sku=f"SKU{number}",
        image=Image(uri=uri),
        outputs=OUTPUTS,
    )


def report(samples: Sequence[Sample], exits: Sequence[int]) -> int:
    """Print the table; 1 if something grows that should not."""
    first, last = samples[int(len(samples) * WARM_UP)], samples[-1]
    print(
        f"\n{last.done} jobs in {last.seconds / 60:.0f} min, backlog {last.backlog}, exits {exits}"
    )
    print("| | after warm-up | at the end | growth for each 1,000 jobs | |\n|---|---|---|---|---|")
    wrong = 0
    for name in ("rss_mb", "threads", "files", "connections", "outbox", "database_mb"):
        slope = growth(samples, lambda one, name=name: float(getattr(one, name)))  # type: ignore[misc]
        bound = FLAT.get(name)
        verdict = "" if bound is None else "flat" if slope < bound else "GROWS"
        wrong += verdict == "GROWS"
        print(
            f"| {name} | {getattr(first, name)} | {getattr(last, name)} | {slope:.2f} | {verdict} |"
        )
    return int(bool(wrong) or any(exits))


if __name__ == "__main__":
    sys.exit(main())
