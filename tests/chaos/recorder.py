"""Who listens to the events: a durable queue, so that no event is missed while a broker is down."""

import json
from typing import Any

from kombu import Connection, Exchange, Queue

from packshot.contract import EVENTS_EXCHANGE

QUEUE = "chaos.events"


class Recorder:
    """Every event that the broker ever took. Bind it before the first job."""

    def __init__(self, url: str) -> None:
        self._url = url
        with Connection(url) as connection, connection.channel() as channel:
            exchange = Exchange(EVENTS_EXCHANGE, type="topic", durable=True)(channel)
            exchange.declare()
            queue = Queue(
                QUEUE,
                exchange,
                routing_key="#",
                durable=True,
                queue_arguments={"x-queue-type": "quorum"},
            )
            queue(channel).declare()

    def collect(self) -> list[dict[str, Any]]:
        """Take all events off the queue."""
        return [json.loads(body) for body, _ in drain(self._url, QUEUE)]


def drain(url: str, queue: str) -> list[tuple[bytes, dict[str, Any]]]:
    """Take every message off a queue: bodies and headers."""
    found = []
    with Connection(url) as connection, connection.channel() as channel:
        while (message := channel.basic_get(queue, no_ack=True)) is not None:
            body = message.body
            headers = message.properties.get("application_headers") or {}
            found.append((body if isinstance(body, bytes) else str(body).encode(), headers))
    return found
