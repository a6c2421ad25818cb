"""`packshot broker`."""

import click
from kombu import Connection
from kombu.exceptions import OperationalError

from packshot.errors import BrokerUnavailable
from packshot.settings import Settings
from tasks.topology import declare


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
    except (OperationalError, OSError) as error:
        raise BrokerUnavailable(
            f"The broker does not answer ({error}): check PACKSHOT_BROKER_URL."
        ) from error
    for name in names:
        click.echo(name)
