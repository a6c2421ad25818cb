"""Packshot on real servers, the limit, and what others do, in one run.

    python -m tests.benchmarks.versus [--peer .../bin/python]

The limit is the bare loop; Packshot runs embedded, and as one to four workers over RabbitMQ,
Postgres and S3 on the same cores. With `--peer`, the Python of an environment that has `rapidocr`,
`rembg[cpu,cli]` and `celery`: the script that one would write (one process with the runtime's own
threads, and one process of one thread for each core), the same as a plain Celery chain with the
prefork pool, and rembg's HTTP server against Packshot's matting alone. The rounds are interleaved,
and each begins with photos that are not counted: a process's first ones pay for its memory.
"""

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from rich.console import Console

from packshot.client import Client
from packshot.contract import CUTOUT, OPTIONAL_STEPS, Output, Step
from packshot.settings import Settings
from tests.benchmarks import peers
from tests.benchmarks.rig import OUTPUTS, Spent, installation, jobs, servers_cpu
from tests.support.fleet import Fleet, Listener
from workers.bench import WARM, report
from workers.bench.figures import Round, Row
from workers.bench.plan import Arrangement, Options, Plan
from workers.bench.run import interleaved

#: Workers of the fleet's rows, and how many steps each runs at once.
WORKERS = ("1x2", "2x1", "4x1")
#: Longest round, seconds.
PATIENCE = 600.0


class FleetRounds:
    """Rounds of fresh workers and fresh photos on one installation."""

    def __init__(self, fleet: Fleet, warm: int) -> None:
        self._fleet, self._warm = fleet, warm
        self._numbers = itertools.count()

    def run(
        self,
        side: int,
        workers: str,
        count: int,
        steps: Sequence[Step] = OPTIONAL_STEPS,
        outputs: Sequence[Output] = OUTPUTS,
        options: Sequence[str] = (),
    ) -> Round:
        """Publish `count` jobs at once; the clock stops with the last event.

        `workers` is how many of the role `all`, times how many steps each runs at once; `options`
        go to each. Before the clock starts they run `warm` photos for each step at once.
        """
        number, concurrency = workers.split("x")
        warm = self._warm * int(number) * int(concurrency)
        this = next(self._numbers)
        folder = self._fleet.folder / f"round-{this}"
        folder.mkdir()
        fleet = Fleet(self._fleet.settings, folder)
        numbers = range(this * 1000, this * 1000 + warm + count)
        wanted = jobs(fleet, numbers, side, steps=steps, outputs=outputs)
        url = fleet.settings["PACKSHOT_BROKER_URL"]
        try:
            for _ in range(int(number)):
                fleet.start("all", "--concurrency", concurrency, *options)
            with closing(Listener(url)) as listener, Client(url) as client:
                for job in wanted[:warm]:
                    client.submit(job)
                listener.wait(warm, PATIENCE)
                before, servers = self._spent(fleet), servers_cpu()
                started = time.monotonic()
                for job in wanted[warm:]:
                    client.submit(job)
                listener.wait(warm + count, PATIENCE)
                seconds = time.monotonic() - started
                after, used = self._spent(fleet), servers_cpu()
        finally:
            fleet.close()
        of_servers = {name: used[name] - servers[name] for name in used}
        cpu = sum(one.cpu for one in after) - sum(one.cpu for one in before)
        extra = {f"{name} ms/job": spent / count * 1000 for name, spent in of_servers.items()}
        extra["peak MiB"] = max(one.peak for one in after)
        return Round(count, seconds, cpu + sum(of_servers.values()), extra)

    @staticmethod
    def _spent(fleet: Fleet) -> list[Spent]:
        return [Spent.of(worker.pid) for worker in fleet.workers]


def main() -> int:
    """Measure, print the table and the ratios, write the report."""
    given = _parse()
    with tempfile.TemporaryDirectory(prefix="packshot-versus-") as folder, installation() as fleet:
        cores = len(os.sched_getaffinity(0))
        options = Options(
            folder=Path(folder),
            sides=tuple(given.side),
            jobs=given.jobs,
            warm=given.warm,
            processes=cores,
            peer=given.peer,
            models=Settings.load().models,
        )
        console = Console(stderr=True)
        rows = interleaved(
            _arrangements(options, fleet, given.workers), given.rounds, console.print
        )
    Console(width=150).print(report.table(rows))
    document, drawing = report.write(rows, given.out)
    sys.stdout.writelines(f"{line}\n" for line in ratios(rows, given.side))
    sys.stdout.write(f"{document} and {drawing}\n")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=12, help="photos per core and round")
    parser.add_argument("--warm", type=int, default=WARM, help="photos per core before the clock")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", type=int, nargs="+", default=[1000, 2000])
    parser.add_argument("--workers", nargs="+", default=WORKERS, help="such as 2x1")
    parser.add_argument("--peer", type=Path, help="Python that has rapidocr, rembg and celery")
    parser.add_argument("--out", type=Path, default=Path("packshot-bench"))
    return parser.parse_args()


def _arrangements(options: Options, fleet: Fleet, workers: Sequence[str]) -> list[Arrangement]:
    plan, rounds = Plan(options), FleetRounds(fleet, options.warm)
    count = options.jobs * options.processes
    made = [*plan.limit(), *plan.embedded()]
    for side, number in itertools.product(options.sides, workers):
        row = Row("fleet", f"workers over servers, {number}, {side} px")
        made.append(Arrangement(row, partial(rounds.run, side, number, count)))
    if options.peer is None:
        return made
    made += plan.peers()
    for side in options.sides:
        chain = peers.Chain(options, options.peer, fleet.settings["PACKSHOT_BROKER_URL"])
        row = Row("peer", f"Celery prefork chain, {options.processes} children, {side} px")
        made.append(Arrangement(row, partial(chain.run, side, count)))
        server = peers.HttpServer(options, options.peer)
        row = Row("peer", f"rembg's HTTP server, matting alone, {side} px")
        made.append(Arrangement(row, partial(server.run, side, count)))
        alone = partial(rounds.run, side, workers[0], count, (Step.MATTING,), (CUTOUT,))
        made.append(Arrangement(Row("fleet", f"matting alone over servers, {side} px"), alone))
    return made


def ratios(rows: Sequence[Row], sides: Sequence[int]) -> list[str]:
    """What the bars are about: fleet against limit, fleet against the best peer, large photos."""
    found = {(row.section, row.name): row.rate for row in rows if row.rounds}
    lines = []
    best: dict[int, float] = {}
    for side in sides:
        at = f", {side} px"
        limit = found.get(("limit", f"bare loop{at}"), 0.0)
        over = [r for (s, n), r in found.items() if s == "fleet" and "workers" in n and at in n]
        scripts = [r for (s, n), r in found.items() if s == "peer" and "RapidOCR" in n and at in n]
        best[side] = max(over, default=0.0)
        if limit and over:
            lines.append(f"{side} px: servers at {best[side] / limit:.2f} of the limit")
        if scripts and over:
            lines.append(f"{side} px: {best[side] / max(scripts):.2f} times the better script")
    if len(sides) > 1 and best[sides[-1]]:
        ratio = best[sides[0]] / best[sides[-1]]
        lines.append(f"a job at {sides[-1]} px takes {ratio:.2f} times one at {sides[0]} px")
    return lines


if __name__ == "__main__":
    sys.exit(main())
