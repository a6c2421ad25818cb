"""`packshot doctor`."""

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from workers.doctor import Finding

_COLOURS = {"ok": "green", "warning": "yellow", "error": "bold red"}


@click.command()
@click.option(
    "--role",
    "name",
    metavar="ROLE",
    default="all",
    show_default=True,
    help="What this machine serves: decides which models it needs. See `packshot worker --help`.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(name: str, *, as_json: bool) -> int:
    """Examine this installation, and say what to do about what is wrong.

    Looks at the settings, the broker with its queues, the database, the object store, Redis and the
    models, in at most 15 seconds. Nothing is changed. Exit code 1 when something is an error.
    """
    from packshot.settings import Settings
    from workers.doctor import Level, examine
    from workers.doctor.finding import Subject
    from workers.roles import role

    findings = examine(Subject(Settings.load(), role(name)))
    healthy = all(finding.level is not Level.ERROR for finding in findings)
    if as_json:
        rows = [finding.as_json() for finding in findings]
        click.echo(json.dumps({"healthy": healthy, "findings": rows}, ensure_ascii=False, indent=1))
    else:
        from rich.console import Console

        Console().print(_table(findings))
        click.echo(_summary(findings))
    return 0 if healthy else 1


def _table(findings: "list[Finding]") -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    part = ""
    for finding in findings:
        words = Text(finding.sentence)
        if finding.advice:
            words.append(f"\n→ {finding.advice}", style="cyan")
        shown = finding.part if finding.part != part else ""
        part = finding.part
        table.add_row(
            Text(shown, style="bold"), Text(finding.level, _COLOURS[finding.level]), words
        )
    return table


def _summary(findings: "list[Finding]") -> str:
    counts = {level: sum(one.level == level for one in findings) for level in _COLOURS}
    told = [f"{counts['error']} errors", f"{counts['warning']} warnings"]
    return ", ".join(told) + f", {counts['ok']} in order."
