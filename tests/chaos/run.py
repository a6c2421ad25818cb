"""`python -m tests.chaos.run`: play scenarios, print what was found, fail if something was lost."""

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.chaos import (
    broker_dies,
    database_dies,
    operations,
    photos_kill,
    storage_fails,
    workers_die,
)
from tests.chaos.crew import ROOT
from tests.chaos.record import Record
from tests.chaos.scenario import SCENARIOS, Scenario
from tests.chaos.scenario import Guard as Guards
from tests.chaos.site import Servers
from tests.chaos.table import Run, failures, summary
from tests.chaos.world import Options, Skipped, play
from tests.support.server import Guard, NotAvailable

#: The families register their scenarios when they are imported.
FAMILIES = (workers_die, broker_dies, database_dies, storage_fails, photos_kill, operations)
#: Jobs and seeds of `--short`.
SHORT_JOBS = 40


def main() -> int:
    """Run from the command line; returns the exit code."""
    arguments = _parse()
    names = arguments.scenario or list(SCENARIOS)
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        sys.stderr.write(f"There is no scenario {unknown[0]}; there are {', '.join(SCENARIOS)}.\n")
        return 2
    if arguments.list:
        sys.stdout.writelines(f"{name:24} {SCENARIOS[name].title}\n" for name in names)
        return 0
    guard = Guard()
    servers = Servers(guard)
    record = Record(arguments.json)
    try:
        for one, options in _matrix(names, arguments):
            if not record.has(one.name, options.seed, options.jobs, options.without):
                run = _run(one, options, servers)
                record.add(run)
                say(run)
    finally:
        servers.discard()
        guard.close()
    sys.stdout.write("\n" + summary(record.runs))
    wrong = [] if arguments.without else failures(record.runs)
    sys.stdout.writelines(f"not as it should be: {name}\n" for name in wrong)
    return int(bool(wrong))


def say(run: Run) -> None:
    """One line for one scenario, and what there is to explain."""
    sys.stdout.write(run.line() + "\n")
    for note in run.found.notes[:12] if run.found else ():
        sys.stdout.write(f"    {note}\n")
    sys.stdout.flush()


def _matrix(
    names: Sequence[str], arguments: argparse.Namespace
) -> Iterator[tuple[Scenario, Options]]:
    """What to play, seed by seed."""
    for seed in arguments.seeds:
        for name in names:
            for without in _modes(SCENARIOS[name], arguments):
                yield (
                    SCENARIOS[name],
                    Options(
                        jobs=SHORT_JOBS if arguments.short else arguments.jobs,
                        seed=seed,
                        without=without,
                        other_release=arguments.other_release,
                        keep=arguments.keep,
                    ),
                )


def _modes(one: Scenario, arguments: argparse.Namespace) -> list[tuple[Guards, ...]]:
    """Which guards to take away, once for each time that the scenario is played."""
    if arguments.without:
        return [tuple(Guards(name) for name in arguments.without)]
    return [(), one.guards] if arguments.unguarded and one.guards else [()]


def _run(one: Scenario, options: Options, servers: Servers) -> Run:
    guards = [str(guard) for guard in options.without]
    run = Run(one.name, one.title, options.seed, options.jobs, commit(), guards)
    try:
        run.found = play(one, options, servers)
    except (Skipped, NotAvailable) as reason:
        run.skipped = str(reason)
    except (AssertionError, OSError) as error:
        # One scenario that cannot even be counted must not hide what the others found.
        run.broken = f"{type(error).__name__}: {error}"
        servers.discard()
    return run


def commit() -> str:
    """Which commit is played; empty where this is no checkout."""
    command = ("git", "describe", "--always", "--dirty", "--exclude=*")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.run", description=__doc__)
    parser.add_argument("--jobs", type=int, default=500, help="jobs in each scenario")
    parser.add_argument(
        "--seeds",
        type=lambda text: [int(part) for part in text.split(",")],
        default=[1],
        help="play everything once for each of these, such as 1,2,3",
    )
    parser.add_argument("--scenario", action="append", metavar="NAME", help="may be repeated")
    parser.add_argument("--list", action="store_true", help="say what scenarios there are")
    parser.add_argument("--short", action="store_true", help=f"{SHORT_JOBS} jobs in each scenario")
    parser.add_argument(
        "--unguarded", action="store_true", help="play each again without its guards"
    )
    parser.add_argument(
        "--without", action="append", choices=list(Guards), help="take this guard away everywhere"
    )
    parser.add_argument(
        "--other-release", type=Path, metavar="CHECKOUT", help="another release's checkout"
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="OUT",
        help="keep all numbers there; what is in it is not played again",
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the workers' logs there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
