"""What lies in the queues and who serves them: from the management API, else over AMQP."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from amqp.exceptions import AMQPError
from kombu import Connection
from kombu.exceptions import OperationalError

from packshot.contract import (
    DEAD_QUEUE,
    INTAKE_QUEUE,
    LIVE_INTAKE_QUEUE,
    REJECTED_QUEUE,
    Lane,
    Step,
    queue_name,
)
from packshot.errors import BrokerUnavailable
from packshot.settings import Settings
from workers.doctor.management import Management
from workers.exporter.work import ANY, INTAKE, Depth, Key, Server

#: Every queue whose messages are work, by its name.
WORKING: Mapping[str, Key] = {
    INTAKE_QUEUE: (INTAKE, ANY),
    LIVE_INTAKE_QUEUE: (INTAKE, Lane.LIVE),
    **{queue_name(step, lane): (step, lane) for step in Step for lane in Lane},
}
#: Queues where messages rest, by their label.
RESTING = {"dead": DEAD_QUEUE, "rejected": REJECTED_QUEUE}
#: Seconds for a connection.
CONNECT_SECONDS = 5

#: Steps that workers hold, where the broker does not say: the ledger's count.
Held = Callable[[], Mapping[tuple[Step, Lane], int]]


@dataclass(frozen=True, slots=True)
class Queues:
    """One look at the broker."""

    depths: Mapping[Key, Depth]
    servers: tuple[Server, ...]
    letters: Mapping[str, int]


def look(settings: Settings, held: Held) -> Queues:
    """Count messages and workers. Raises `BrokerUnavailable`."""
    url = settings.broker_url.get_secret_value()
    with Connection(url, connect_timeout=CONNECT_SECONDS) as connection:
        api = management(settings, connection.info())
        found = over_management(api)
        return found if found is not None else over_amqp(connection, held)


def management(settings: Settings, info: Mapping[str, Any]) -> Management:
    """The API that the settings name, else the one beside the broker with its credentials."""
    if settings.management_url is None:
        return Management(info)
    url = urlsplit(settings.management_url.get_secret_value())
    named = {
        "hostname": url.hostname,
        "userid": unquote(url.username or str(info.get("userid"))),
        "password": unquote(url.password or str(info.get("password"))),
        "virtual_host": info.get("virtual_host"),
        "ssl": url.scheme == "https",
    }
    return Management(named, url.port)


def over_management(api: Management) -> Queues | None:
    """One look, or None where the API does not answer."""
    rows, consumers = api.queues(), api.consumers()
    if rows is None or consumers is None:
        return None
    depths = {
        key: Depth(
            int(rows.get(name, {}).get("messages_ready", 0)),
            int(rows.get(name, {}).get("messages_unacknowledged", 0)),
        )
        for name, key in WORKING.items()
    }
    letters = {label: int(rows.get(name, {}).get("messages", 0)) for label, name in RESTING.items()}
    return Queues(depths, _servers(consumers), letters)


def _servers(consumers: list[dict[str, Any]]) -> tuple[Server, ...]:
    """One per connection: a worker consumes all of its queues over one of them."""
    keys: dict[str, set[Key]] = defaultdict(set)
    slots: dict[str, int] = defaultdict(int)
    for one in consumers:
        key = WORKING.get(str(one.get("queue", {}).get("name")))
        if key is None:
            continue
        connection = str(one.get("channel_details", {}).get("connection_name", id(one)))
        keys[connection].add(key)
        # The intake reads ahead, but takes one message after the other.
        prefetch = 1 if key[0] == INTAKE else int(one.get("prefetch_count") or 1)
        slots[connection] = max(slots[connection], prefetch)
    return tuple(Server(frozenset(keys[name]), slots[name]) for name in sorted(keys))


def over_amqp(connection: Any, held: Held) -> Queues:
    """One look with passive declares, and the ledger for what is unacknowledged.

    How many steps a worker runs at once is not told that way: each consumer counts as one slot, so
    that times to drain come out too long rather than too short. Raises `BrokerUnavailable`.
    """
    running = held()
    depths: dict[Key, Depth] = {}
    servers: list[Server] = []
    try:
        with connection.channel() as channel:
            for name, key in WORKING.items():
                ready, consumers = _passive(channel, name)
                step, lane = key
                unacked = 0 if step == INTAKE else running.get((Step(step), Lane(lane)), 0)
                depths[key] = Depth(ready, unacked)
                servers += [Server(frozenset([key]), 1)] * consumers
            letters = {label: _passive(channel, name)[0] for label, name in RESTING.items()}
    except (OperationalError, AMQPError, OSError) as error:
        raise BrokerUnavailable(f"The queues cannot be counted: {error}.") from error
    return Queues(depths, tuple(servers), letters)


def _passive(channel: Any, name: str) -> tuple[int, int]:
    found = channel.queue_declare(name, passive=True)
    return int(found.message_count), int(found.consumer_count)
