"""`packshot bench`."""

from pathlib import Path

import click

from workers.bench import WARM

SECTIONS = ("limit", "embedded", "peers", "scaling")


@click.command()
@click.option(
    "-s",
    "--section",
    "sections",
    type=click.Choice(SECTIONS),
    multiple=True,
    help="Only this one; may be repeated. Default: all but scaling.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=12,
    show_default=True,
    help="Photos per process and round.",
)
@click.option(
    "--warm",
    type=click.IntRange(0),
    default=WARM,
    show_default=True,
    help="Photos per process before the clock starts.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Rounds of every arrangement, interleaved.",
)
@click.option(
    "--side",
    "sides",
    type=click.IntRange(64, 8192),
    multiple=True,
    default=(1000, 2000),
    show_default=True,
    help="Longer side of the photos, pixels.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 256),
    help="Processes of the bare loop, threads of the run. Default: one per core.",
)
@click.option(
    "--peer",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Python of an environment with rapidocr and rembg[cpu], to compare with.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("packshot-bench"),
    show_default=True,
    help="Folder of the report.",
)
def bench(
    sections: tuple[str, ...],
    jobs: int,
    warm: int,
    rounds: int,
    sides: tuple[int, ...],
    processes: int | None,
    peer: Path | None,
    out: Path,
) -> None:
    """Measure this machine: the bare models, Packshot on top of them, and what others do.

    Prints a table, and writes bench.json and bench.svg. The sections' rounds are interleaved.

    \b
      limit     decoding, models, rendering and encoding in a bare loop
      embedded  the same with queue, ledger and object store; memory too
      peers     the script that one would write without Packshot (needs --peer)
      scaling   models that only sleep, on 1 to 32 slots
    """
    import os
    import tempfile

    from rich.console import Console

    from packshot.settings import Settings
    from workers.bench import report
    from workers.bench.plan import Options, Plan
    from workers.bench.run import interleaved
    from workers.weights import ensure

    console, settings = Console(stderr=True), Settings.load()
    ensure(settings, console)
    with tempfile.TemporaryDirectory(prefix="packshot-bench-") as folder:
        plan = Plan(
            Options(
                folder=Path(folder),
                sides=sides,
                jobs=jobs,
                warm=warm,
                processes=processes or len(os.sched_getaffinity(0)),
                peer=peer,
                models=settings.models,
            )
        )
        made = {
            "limit": plan.limit,
            "embedded": plan.embedded,
            "peers": plan.peers,
            "scaling": plan.scaling,
        }
        chosen = [arrangement for name in sections or SECTIONS[:3] for arrangement in made[name]()]
        with console.status("Measuring") as status:
            # A log shows no spinner: there every round is a line.
            tell = status.update if console.is_terminal else console.print
            rows = interleaved(chosen, rounds, tell)
    Console().print(report.table(rows))
    document, drawing = report.write(rows, out)
    click.echo(f"{document} and {drawing}")
