"""`packshot tune`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from workers.tune.knobs import Score


@click.command()
@click.option(
    "--photos",
    type=click.IntRange(2),
    default=8,
    show_default=True,
    help="Photos of each trial in the first round; twice as many in each later one.",
)
@click.option(
    "--side",
    type=click.IntRange(64, 8192),
    default=1000,
    show_default=True,
    help="Longer side of the photos, pixels.",
)
@click.option("--dry-run", is_flag=True, help="Show what was found, write nothing.")
def tune(photos: int, side: int, *, dry_run: bool) -> int:
    """Find how many steps to run at once here, with how many threads, in what batches.

    Everything is tried for a moment, the better half for longer, and so on; a few minutes in all.
    The best way is written to the profile (PACKSHOT_PROFILE, else beside the weights), and workers
    on this kind of machine follow it where the command line and the environment say nothing else.
    Let nothing else run meanwhile.
    """
    import os
    import tempfile

    from rich.console import Console

    from models.ort import has_cuda
    from packshot.settings import Settings
    from workers.bench.photos import write as write_photos
    from workers.tune import profile
    from workers.tune.halving import halve
    from workers.tune.knobs import Knobs, grid
    from workers.tune.trial import measure
    from workers.weights import ensure

    console, settings = Console(stderr=True), Settings.load()
    ensure(settings, console)
    batches = settings.device in {"auto", "cuda"} and has_cuda()
    ways = grid(len(os.sched_getaffinity(0)), batches=batches)
    with tempfile.TemporaryDirectory(prefix="packshot-tune-") as name:
        folder = Path(name)
        write_photos(folder, side, 2 * photos)
        with console.status(f"{len(ways)} ways to try") as status:

            def tried(knobs: Knobs, count: int) -> float | None:
                status.update(f"{knobs}, {count} photos")
                rate = measure(knobs, folder, count)
                told = "does not run" if rate is None else f"{rate:.2f} photos/s"
                console.print(f"{told:>16}  {knobs}, {count} photos", highlight=False)
                return rate

            scores = halve(ways, tried, photos=photos)
    if not scores:
        click.echo("Nothing could be run: packshot doctor says more.", err=True)
        return 1
    click.echo(_said(scores))
    if not dry_run:
        click.echo(f"Written to {profile.write(settings, scores[0])}")
    return 0


def _said(scores: "list[Score]") -> str:
    best = scores[0]
    return f"Best: {best.knobs}: {best.rate:.2f} photos/s over {best.photos} photos."
