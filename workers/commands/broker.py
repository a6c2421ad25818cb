"""`packshot broker`."""

import json
import os
from pathlib import Path

import click
from kombu import Connection
from kombu.exceptions import OperationalError

from packshot.errors import BrokerUnavailable, ConfigurationError
from packshot.settings import Settings
from tasks.topology import declare, declare_delays
from workers.access import definitions as definitions_of
from workers.grants import Administrator


@click.group()
def broker() -> None:
    """Look after the queues."""


@broker.command()
def setup() -> None:
    """Declare every exchange and queue. Workers do it too; producers may want it before them."""
    settings = Settings.load()
    try:
        with Connection(settings.broker_url.get_secret_value(), connect_timeout=5) as connection:
            names = declare(connection, settings.queue_limit)
            declare_delays(connection, settings.queue_limit)
    except (OperationalError, OSError) as error:
        raise BrokerUnavailable(
            f"The broker does not answer ({error}): check PACKSHOT_BROKER_URL."
        ) from error
    for name in names:
        click.echo(name)


_vhost = click.option("--vhost", default="packshot", show_default=True, help="Virtual host.")


@broker.command()
@_vhost
def definitions(vhost: str) -> None:
    """Print users, permissions and policies as RabbitMQ's definitions, without passwords."""
    click.echo(json.dumps(definitions_of(vhost), indent=2))


@broker.command()
@_vhost
@click.option(
    "--passwords",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Folder with a file per user, named like it, that holds its password.",
)
def grant(vhost: str, passwords: Path) -> None:
    """Make the users with their permissions, and the policies; repeat it to change a password.

    PACKSHOT_BROKER_ADMIN names the management API: http://user:password@host:15672. Users without
    a file are left out.
    """
    known = {
        path.name: path.read_text(encoding="utf-8").strip()
        for path in sorted(passwords.iterdir())
        if path.is_file()
    }
    if empty := [name for name, password in known.items() if not password]:
        raise ConfigurationError(f"These passwords are empty: {', '.join(empty)}.")
    administrator = Administrator(os.environ.get("PACKSHOT_BROKER_ADMIN", ""))
    for name in administrator.grant(definitions_of(vhost), known):
        click.echo(name)
