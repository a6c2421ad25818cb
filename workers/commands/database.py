"""`packshot db`."""

import click

from packshot.settings import Settings
from packshot.store.engine import open_engine
from workers.database import upgrade as upgrade_ledger
from workers.database import wait as wait_for_ledger


@click.group()
def db() -> None:
    """Make or migrate the ledger."""


@db.command()
def upgrade() -> None:
    """Bring the ledger to this release's schema. Running workers may go on meanwhile."""
    before, after = upgrade_ledger(open_engine(Settings.load().ledger_url))
    if before == after:
        click.echo(f"The ledger is at {after} already.")
    else:
        click.echo(f"The ledger went from {before or 'nothing'} to {after}.")


@db.command()
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=300.0,
    show_default=True,
    help="How long to wait.",
)
def wait(seconds: float) -> None:
    """Wait until the ledger has this release's schema, or a later one: workers start after that."""
    revision = wait_for_ledger(open_engine(Settings.load().ledger_url), seconds)
    click.echo(f"The ledger is at {revision}.")
