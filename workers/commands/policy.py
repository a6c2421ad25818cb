"""`packshot policy`."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from packshot.routing import Policy


@click.group()
def policy() -> None:
    """What goes to a person: show the policy in force, check a file."""


@policy.command()
def show() -> None:
    """Show the policy in force: the settings, and the file that PACKSHOT_POLICY names."""
    from packshot.settings import Settings
    from workers.services import open_policy

    click.echo("\n".join(lines(open_policy(Settings.load()).current())))


@policy.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(file: Path) -> None:
    """Read a policy's file and show what it would mean. Exit code 1 when it is wrong."""
    from packshot.policy import PolicyFile
    from packshot.settings import Settings
    from workers.services import base_policy

    found = PolicyFile(file, base_policy(Settings.load())).current()
    click.echo("\n".join(lines(found)))


def lines(found: "Policy") -> list[str]:
    """A policy for people."""
    told = [
        f"version      {found.version}",
        "thresholds   " + ", ".join(f"{name} {at:.0%}" for name, at in found.thresholds.items()),
        "reasons      " + ", ".join(sorted(found.signals)),
        f"audit        {found.audit_rate:.2%} of what would be accepted",
        "due          " + ", ".join(f"{lane} {_short(time)}" for lane, time in found.due.items()),
        f"always from  {_sources(found.always_from)}",
        f"never from   {_sources(found.never_from)}"
        + (
            f", except for {', '.join(sorted(found.overrules_never))}" * bool(found.overrules_never)
        ),
        f"bulk accept  {found.bulk_accept}",
    ]
    for special in found.specials:
        who = [f"source {special.source}"] * (special.source is not None)
        who += [f"category {special.category}"] * (special.category is not None)
        other = [f"{name} {at:.0%}" for name, at in special.thresholds.items()]
        if special.audit_rate is not None:
            other.append(f"audit {special.audit_rate:.2%}")
        other += [f"{code} {'on' if on else 'off'}" for code, on in special.reasons.items()]
        told.append(f"special      {' and '.join(who)}: {', '.join(other) or 'nothing'}")
    return told


def _sources(names: frozenset[str] | None) -> str:
    if names is None:
        return "everybody"
    return ", ".join(sorted(names)) or "nobody"


def _short(time: timedelta) -> str:
    minutes = time.total_seconds() / 60
    return f"{minutes:g} min" if minutes < 120 else f"{minutes / 60:g} h"
