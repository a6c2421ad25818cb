"""`packshot run`."""

import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from packshot import __version__

if TYPE_CHECKING:
    from rich.console import Console

    from packshot.store.views import JobView

#: Kibibytes or bytes, as the platform's getrusage has it, in one mebibyte.
_MAXRSS_PER_MIB = 1024**2 if sys.platform == "darwin" else 1024


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--sample", is_flag=True, help="Use the sample photos that come with Packshot.")
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("packshot-data"),
    show_default=True,
    help="Folder for the ledger, the pictures and the report.",
)
@click.option(
    "-c",
    "--concurrency",
    type=click.IntRange(1, 64),
    help="Photos at once. Default: one per CPU core.",
)
@click.option(
    "--size",
    type=click.IntRange(64, 8192),
    default=2000,
    show_default=True,
    help="Side of the white main picture, pixels.",
)
@click.option("--report/--no-report", default=True, help="Write report.html.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line per photo, no table.")
def run(
    paths: tuple[Path, ...],
    *,
    sample: bool,
    out: Path,
    concurrency: int | None,
    size: int,
    report: bool,
    as_json: bool,
) -> int:
    """Process photos on this machine, without any server.

    PATHS are photos or folders. Every photo gets its text, category, brand, colours, a transparent
    cut-out and a white main picture; report.html shows them all. Interrupt it and run it again: it
    goes on where it was. What is done already is not done again.

    Exit code 0 when every photo has a result, 1 when one failed.
    """
    from rich.console import Console

    console = Console(stderr=True)
    found = _find(paths, sample=sample)
    started = datetime.now(UTC)
    views, seconds = _process(console, found, out, concurrency or _cores(), size)
    if as_json:
        for view in views:
            click.echo(json.dumps(_line(view), ensure_ascii=False))
    else:
        _show(views)
    if report:
        path = _report(out, views, started, seconds)
        console.print(f"Report:   {path}", soft_wrap=True, highlight=False)
    console.print(f"Pictures: {out / 'store' / 'outputs'}", soft_wrap=True, highlight=False)
    console.print(
        f"{len(views)} photos in {seconds:.1f} s, peak memory {_peak_mib():.0f} MiB.",
        highlight=False,
    )
    return 1 if any(view.status == "failed" for view in views) else 0


def _find(paths: tuple[Path, ...], *, sample: bool) -> list[Path]:
    from workers import photos
    from workers.samples import photos as samples

    if not paths and not sample:
        raise click.UsageError("Name photos or folders, or try --sample.")
    found = photos.find([*paths, *(samples() if sample else ())])
    if not found:
        raise click.UsageError("There are no photos in there.")
    return found


def _process(
    console: "Console", found: Sequence[Path], out: Path, concurrency: int, size: int
) -> "tuple[list[JobView], float]":
    """Run the photos; returns their views and the seconds it took, without loading the models."""
    from packshot.contract import CUTOUT, MAIN, Step
    from workers import photos
    from workers.embedded import Embedded, settings_for
    from workers.progress import bars
    from workers.services import load_models
    from workers.weights import ensure

    settings = settings_for(out)
    ensure(settings, console)
    with console.status("Loading the models"):
        models = load_models(settings, tuple(Step), callers=concurrency)
        embedded = Embedded(settings, models, concurrency=concurrency)
    outputs = (CUTOUT, MAIN.model_copy(update={"size": size}))
    jobs = [photos.job(path, outputs) for path in found]
    clock = time.perf_counter()
    with bars(console, len(jobs)) as tell:
        try:
            embedded.process(jobs, tell)
        except KeyboardInterrupt:
            console.print("Interrupted. Run the same command again: it goes on where it was.")
            raise
    seconds = time.perf_counter() - clock
    return [embedded.services.views.job(job.source, job.job_id) for job in jobs], seconds


def _show(views: "Sequence[JobView]") -> None:
    from rich.console import Console

    from workers.report import render_table

    Console().print(render_table(views))


def _report(out: Path, views: "Sequence[JobView]", started: datetime, seconds: float) -> Path:
    from workers.embedded import settings_for
    from workers.report import RunFacts, write_report
    from workers.services import open_policy, open_store

    facts = RunFacts(
        started=started,
        seconds=seconds,
        photos=len(views),
        peak_memory_mib=_peak_mib(),
        version=__version__,
        models=(),
        thresholds=open_policy(settings_for(out)).current().thresholds,
    )
    path = out / "report.html"
    write_report(path, views, open_store(settings_for(out)), facts=facts)
    return path.resolve()


def _line(view: "JobView") -> dict[str, object]:
    return {
        "job_id": view.job_id,
        "status": view.status,
        "code": view.code,
        "message": view.message,
        "result": view.result,
    }


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MAXRSS_PER_MIB
