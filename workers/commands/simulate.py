"""`packshot simulate`."""

import json
from pathlib import Path

import click


@click.command()
@click.option("--trace", "names", multiple=True, help="One of the traces; default: all of them.")
@click.option("--seed", default=1, show_default=True, help="The same seed, the same jobs.")
@click.option(
    "--job-seconds",
    type=click.FloatRange(min=0.001),
    default=0.8,
    show_default=True,
    help="Slot-seconds of the usual job: `packshot_step_cost_seconds`, summed.",
)
@click.option(
    "--slots",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Steps that a replica runs at once.",
)
@click.option(
    "--cold-start",
    type=click.FloatRange(min=0),
    default=90.0,
    show_default=True,
    help="Seconds from wanted to consuming.",
)
@click.option(
    "--price",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="What a replica costs an hour.",
)
@click.option("--target", type=click.FloatRange(min=0.1), help="Seconds of work per slot.")
@click.option("--sweep", is_flag=True, help="Try every setting, and say which one to take.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for simulation.json and one SVG per trace.",
)
def simulate(
    names: tuple[str, ...],
    seed: int,
    job_seconds: float,
    slots: int,
    cold_start: float,
    price: float,
    target: float | None,
    *,
    sweep: bool,
    output: Path | None,
) -> int:
    """Replay arrivals against a fleet with cold starts, under three ways to size it.

    \b
    seconds of work   ours: messages times the measured seconds of one
    queue length      messages over a number that fits the usual job
    oracle            knows the future and starts replicas in no time: nobody does better

    Waits end when a job begins; `in time` is the share that waited no longer than the lane's
    objective. Without options it plays every trace with the manifests' defaults.
    """
    from dataclasses import replace

    from rich.console import Console

    from workers.simulate import report, study
    from workers.simulate.fleet import Machine
    from workers.simulate.trace import TRACES, replay

    unknown = set(names) - set(TRACES)
    if unknown:
        raise click.BadParameter(f"{', '.join(sorted(unknown))}: choose from {', '.join(TRACES)}")
    machine = Machine(slots=slots, cold_start=cold_start)
    console = Console()
    if sweep:
        rows = _sweep(console, machine, job_seconds, seed)
    else:
        rows = []
        for name in names or TRACES:
            trace = replay(name, seed=seed, mean=job_seconds)
            tuning = study.DEFAULTS[trace.lane]
            tuning = replace(tuning, target=target) if target else tuning
            found = study.compare(trace, tuning, machine, mean=job_seconds, price=price, seed=seed)
            rows += [one.row() for one in found]
            if output:
                output.mkdir(parents=True, exist_ok=True)
                (output / f"{name}.svg").write_text(report.picture(trace, found), "utf-8")
        console.print(report.table(rows))
    if output:
        output.mkdir(parents=True, exist_ok=True)
        name = "sweep.json" if sweep else "simulation.json"
        (output / name).write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    return 0


def _sweep(console: object, machine: object, mean: float, seed: int) -> list[dict[str, object]]:
    from rich.console import Console

    from workers.simulate import report, study
    from workers.simulate.fleet import Machine
    from workers.simulate.trace import replay

    assert isinstance(console, Console)  # noqa: S101 - imported late, so that --help is instant
    assert isinstance(machine, Machine)  # noqa: S101
    rows: list[dict[str, object]] = []
    for lane, played in study.PLAYED.items():
        traces = [replay(name, seed=seed, mean=mean) for name in played]
        tried = list(study.sweep(lane, traces, machine, mean=mean, seed=seed))
        best = study.choose(tried)
        found = [{"lane": lane, **one.row(), "chosen": one == best} for one in tried]
        console.print(report.table(found, {name: name for name in found[0]}))
        rows += found
    return rows
