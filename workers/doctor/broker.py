"""The broker: may we in, does a message go through, are the queues those of this release."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from amqp.exceptions import AccessRefused, AMQPError, MessageNacked, NotAllowed
from kombu import Connection, Producer
from kombu.exceptions import OperationalError

from packshot.errors import BrokerUnavailable, ConfigurationError
from workers.doctor.finding import Finding, Subject, error, ok
from workers.doctor.management import Management
from workers.doctor.policies import check_policies, check_timeout
from workers.doctor.queues import check_queues

#: Seconds for a connection; it is tried twice, two seconds apart.
CONNECT_SECONDS = 3
#: Seconds for one answer.
ANSWER_SECONDS = 4.0
#: The oldest release whose quorum queues dead-letter at least once.
OLDEST = (3, 10)


def check_broker(subject: Subject) -> Iterator[Finding]:
    """Connect with the credentials of the settings, then look around."""
    if subject.embedded:
        yield ok("No server is named in the settings: the embedded run needs no broker.")
        return
    url = subject.settings.broker_url.get_secret_value()
    with connected(url) as connection:
        yield _version(connection)
        yield from _delivery(connection)
        yield from check_queues(connection, subject.settings.queue_limit)
        management = Management(connection.info())
        queues = management.queues()
        yield from check_policies(queues, management.bindings() if queues else None)
        yield check_timeout(queues, subject)


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """A connection of our own, closed in the end. Raises errors that say what to do."""
    options = {
        "confirm_publish": True,
        "read_timeout": ANSWER_SECONDS,
        "write_timeout": ANSWER_SECONDS,
    }
    try:
        connection = Connection(url, connect_timeout=CONNECT_SECONDS, transport_options=options)
        connection.connect()
    except (AccessRefused, NotAllowed) as problem:
        raise ConfigurationError(
            f"The broker refuses us ({problem.reply_text}): check user, password and virtual host "
            "in PACKSHOT_BROKER_URL."
        ) from problem
    except (AMQPError, OperationalError, OSError) as problem:
        raise BrokerUnavailable(
            f"The broker does not answer ({problem or type(problem).__name__}): check host and "
            "port in PACKSHOT_BROKER_URL, and that the broker runs."
        ) from problem
    except (KeyError, ValueError, ImportError) as problem:
        raise ConfigurationError(
            "PACKSHOT_BROKER_URL cannot be understood: write amqp://user:password@host:5672/vhost."
        ) from problem
    try:
        yield connection
    except (AMQPError, OperationalError, OSError) as problem:
        raise BrokerUnavailable(
            f"The broker stopped answering ({problem or type(problem).__name__})."
        ) from problem
    finally:
        connection.release()


def _version(connection: Any) -> Finding:
    told = connection.connection.server_properties
    product, version = str(told.get("product", "?")), str(told.get("version", "?"))
    sentence = f"{product} {version} answers and takes our credentials."
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if product != "RabbitMQ" or numbers < OLDEST:
        needed = ".".join(map(str, OLDEST))
        return error(sentence, f"Use RabbitMQ {needed} or later: older ones lose dead letters.")
    return ok(sentence)


def _delivery(connection: Any) -> Iterator[Finding]:
    """Send a message through a queue that is gone afterwards."""
    token = secrets.token_hex(16)
    started = time.monotonic()
    try:
        with connection.channel() as channel:
            name = channel.queue_declare(exclusive=True, auto_delete=True, durable=False).queue
            Producer(channel, auto_declare=False).publish(
                token,
                routing_key=name,
                content_type="text/plain",
                mandatory=True,
                timeout=ANSWER_SECONDS,
                confirm_timeout=ANSWER_SECONDS,
            )
            message = channel.basic_get(name, no_ack=True)
    except AccessRefused as problem:
        yield error(
            f"We may not make a queue of our own ({problem.reply_text}).",
            "Grant the user configure, write and read on `.*` of its virtual host.",
        )
    except (TimeoutError, MessageNacked):
        yield error(
            f"The broker did not confirm a message within {ANSWER_SECONDS:g} s.",
            "Look for a memory or disk alarm: rabbitmqctl list_alarms.",
        )
    else:
        took = (time.monotonic() - started) * 1000
        if message is None or str(message.body) != token:
            yield error("A confirmed message did not arrive.", "Look at the broker's log.")
        else:
            yield ok(f"A message went through, confirmed, in {took:.0f} ms.")
