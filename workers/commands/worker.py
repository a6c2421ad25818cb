"""`packshot worker`."""

from pathlib import Path

import click

from packshot.contract import Lane
from packshot.settings import Settings
from packshot.telemetry import configure
from workers.roles import ROLES, role


@click.command()
@click.argument("name", metavar="ROLE", type=click.Choice(list(ROLES)))
@click.option(
    "-c",
    "--concurrency",
    type=click.IntRange(1, 256),
    help="Steps at once. Default: what `packshot tune` has found, else the role's.",
)
@click.option(
    "--lane",
    "lanes",
    type=click.Choice([lane.value for lane in Lane]),
    multiple=True,
    help="Serve only this lane; may be repeated. Default: both.",
)
@click.option("--hostname", help="Name in Flower. Default: ROLE@HOST; a random part is added.")
@click.option(
    "--probes",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the probe files `live` and `ready`.",
)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    help="Serve Prometheus metrics there. Default: PACKSHOT_METRICS_PORT, else not at all.",
)
@click.option(
    "--fake-models",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Answer with made-up results after SECONDS per step: to try a deployment without weights.",
)
def worker(
    name: str,
    concurrency: int | None,
    lanes: tuple[str, ...],
    hostname: str | None,
    probes: Path | None,
    metrics_port: int | None,
    fake_models: float | None,
) -> int:
    """Run a worker until it gets SIGTERM; then it drains and exits 0.

    \b
    ROLE is one of
      io           takes jobs in, prepares photos, renders and finishes
      ocr          reads text
      recognition  says what the product is
      matting      cuts it out
      gpu          the three model stages in one process, one copy of each model
      all          everything, for small installations
    """
    from workers.health import Probes
    from workers.lifecycle import Options, run_worker
    from workers.tune.profile import read, tuned

    settings = Settings.load()
    if metrics_port is not None:
        settings = settings.model_copy(update={"metrics_port": metrics_port})
    configure(settings.log_level, settings.log_style)
    one = role(name)
    found = read(settings) if one.runs_models and fake_models is None else None
    return run_worker(
        tuned(settings, found),
        Options(
            role=one,
            concurrency=concurrency or (found.knobs.concurrency if found else one.concurrency),
            lanes=tuple(Lane(lane) for lane in lanes) or tuple(Lane),
            name=hostname,
            probes=Probes(probes) if probes else None,
            fake_seconds=fake_models,
        ),
    )
