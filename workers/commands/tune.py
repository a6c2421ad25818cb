"""`packshot tune`."""

from pathlib import Path

import click


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
    import tempfile

    from rich.console import Console

    from packshot.settings import Settings
    from workers.bench.photos import write as write_photos
    from workers.tune import profile
    from workers.tune.halving import halve
    from workers.tune.knobs import Knobs, grid
    from workers.tune.trial import measure
    from workers.weights import ensure

    console, settings = Console(stderr=True), Settings.load()
    ensure(settings, console)
    here = profile.machine(settings)
    ways = grid(here.cores, batches=here.device == profile.CUDA)
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
    best = scores[0]
    click.echo(f"Best: {best.knobs}: {best.rate:.2f} photos/s over {best.photos} photos.")
    if not dry_run:
        click.echo(f"Written to {profile.write(settings, best)}")
    return 0
