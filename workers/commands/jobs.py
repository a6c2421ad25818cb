"""`packshot submit|status|result|retry|cancel`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from packshot.store.ledger import Ledger
    from packshot.store.views import JobView, StepView, Views


def _views() -> "Views":
    from packshot.settings import Settings
    from packshot.store.engine import open_engine
    from packshot.store.views import Views

    return Views(open_engine(Settings.load().ledger_url))


def _ledger() -> "Ledger":
    from packshot.settings import Settings
    from packshot.store.engine import open_engine
    from workers.services import open_ledger

    settings = Settings.load()
    return open_ledger(settings, open_engine(settings.ledger_url))


@click.command()
@click.argument("messages", nargs=-1, type=click.Path(allow_dash=True, dir_okay=False))
def submit(messages: tuple[str, ...]) -> None:
    """Publish jobs: JSON files, or standard input (-), one JSON message each.

    Every message is checked before it is sent. Submitting the same job again is harmless.
    """
    from packshot.client import Client
    from packshot.contract import Job
    from packshot.settings import Settings

    settings = Settings.load()
    with Client(settings.broker_url.get_secret_value()) as client:
        for name in messages or ("-",):
            body = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
            job = Job.parse(body)
            client.submit(job)
            click.echo(f"{job.source}/{job.job_id} submitted")


@click.command()
@click.argument("source")
@click.argument("job_id", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(source: str, job_id: str | None, *, as_json: bool) -> None:
    """Show where a job is, step by step; or, without JOB_ID, how many jobs of SOURCE are where."""
    if job_id is None:
        counts = _views().counts(source)
        lines = [json.dumps(counts)] if as_json else [f"{n:8} {s}" for s, n in counts.items()]
        click.echo("\n".join(lines) or f"There are no jobs of {source}.")
        return
    job = _views().job(source, job_id)
    if as_json:
        click.echo(job.model_dump_json(indent=2, exclude={"steps": {"__all__": {"result"}}}))
    else:
        _print_status(job)


def _print_status(job: "JobView") -> None:
    click.echo(f"{job.source}/{job.job_id}: {job.status}")
    if job.code:
        click.echo(f"  {job.code}: {job.message}")
    for reason in job.reasons or []:
        click.echo(f"  {reason['code']}: {reason['message']}")
    for step in job.steps:
        time = f"{step.seconds:7.2f} s" if step.seconds is not None else ""
        tries = f"attempt {step.attempt}" if step.attempt > 1 else ""
        words = f"  {step.name:12} {step.status:8} {time} {_cost(step)} {tries} {step.worker or ''}"
        click.echo(words.rstrip())


def _cost(step: "StepView") -> str:
    """What the step has spent, where it is known."""
    if step.cpu_seconds is None or step.reused:
        return ""
    moved = ((step.bytes_read or 0) + (step.bytes_written or 0)) / 1e6
    return f"({step.device_seconds:.2f} s model, {step.cpu_seconds:.2f} s CPU, {moved:.1f} MB)"


@click.command()
@click.argument("source")
@click.argument("job_id")
def result(source: str, job_id: str) -> int:
    """Print a job's result as JSON. Exit code 1 while there is none."""
    job = _views().job(source, job_id)
    if job.result is None:
        click.echo(f"{source}/{job_id} is {job.status}: it has no result yet.", err=True)
        return 1
    click.echo(json.dumps(job.result, ensure_ascii=False, indent=2))
    return 0


@click.command()
@click.argument("source")
@click.argument("job_id")
def retry(source: str, job_id: str) -> None:
    """Resume a failed or cancelled job at its first unfinished step."""
    from packshot.settings import Settings
    from tasks.app import create_app
    from tasks.workflow import start

    row, job, first = _ledger().retry(source, job_id)
    start(create_app(Settings.load()), row, job, first=first)
    click.echo(f"{source}/{job_id} goes on at {first}.")


@click.command()
@click.argument("source")
@click.argument("job_id")
def cancel(source: str, job_id: str) -> int:
    """Stop a job before its next step. Exit code 1 when it has ended already."""
    if _ledger().cancel(source, job_id):
        click.echo(f"{source}/{job_id} is cancelled.")
        return 0
    click.echo(f"{source}/{job_id} has ended already.", err=True)
    return 1
