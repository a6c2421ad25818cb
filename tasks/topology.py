"""Exchanges and queues: quorum queues, durable, each with the dead-letter exchange behind it.

Queue arguments cannot be changed on a living queue, so they are few. No routing key is a dotted
suffix of another: Celery's delayed delivery binds `#.<routing key>` and would deliver to both.
"""

from typing import Any

from kombu import Exchange, Queue
from kombu.transport.native_delayed_delivery import (
    bind_queue_to_native_delayed_delivery_exchange,
    declare_native_delayed_delivery_exchanges_and_queues,
)

from packshot import contract
from packshot.broker import named_errors
from packshot.contract import EventType, Lane, Step

#: Deliveries that the broker allows before it dead-letters a message by itself. The ledger's own
#: counter is far stricter; this one is for messages that kill a worker before the ledger sees them.
DELIVERY_LIMIT = 20
#: The same for the queues that people look into: each look counts as a delivery, and a quorum queue
#: without a dead-letter exchange drops what reaches its limit (20 where none is given, since 4.0).
#: A number that nobody reaches: -1, "no limit", is refused before RabbitMQ 4.
LOOK_LIMIT = 1_000_000_000

JOBS = Exchange(contract.EXCHANGE, type="topic", durable=True)
EVENTS = Exchange(contract.EVENTS_EXCHANGE, type="topic", durable=True)
DEAD = Exchange(contract.DEAD_EXCHANGE, type="topic", durable=True)

#: Routing keys on the dead-letter exchange.
DEAD_KEY = "dead"
REJECTED_KEY = "rejected"


def intake_queues(limit: int) -> tuple[Any, ...]:
    """The queues that producers' messages wait in."""
    return tuple(
        Queue(name, JOBS, routing_key=key, queue_arguments=_arguments(limit))
        for key, name in contract.INTAKE_QUEUES.items()
    )


def stage_queues(limit: int, *, make: bool = True) -> tuple[Any, ...]:
    """One queue per stage and lane. Without `make` Celery never tries to declare them."""
    return tuple(
        Queue(name, JOBS, routing_key=name, queue_arguments=_arguments(limit), no_declare=not make)
        for step in Step
        for lane in Lane
        for name in [contract.queue_name(step, lane)]
    )


def resting_queues() -> tuple[Any, ...]:
    """Where messages wait for people: dead letters, refused messages, review requests."""
    quorum = {"x-queue-type": "quorum", "x-delivery-limit": LOOK_LIMIT}
    return (
        Queue(contract.DEAD_QUEUE, DEAD, routing_key=DEAD_KEY, queue_arguments=quorum),
        Queue(contract.REJECTED_QUEUE, DEAD, routing_key=REJECTED_KEY, queue_arguments=quorum),
        Queue(
            contract.REVIEW_QUEUE,
            EVENTS,
            routing_key=EventType.REVIEW_REQUESTED,
            queue_arguments=quorum,
        ),
    )


def every_queue(limit: int) -> tuple[Any, ...]:
    """Every queue of an installation, those that others dead-letter into first."""
    return (*resting_queues(), *intake_queues(limit), *stage_queues(limit))


def declare(connection: Any, limit: int) -> list[str]:
    """Declare everything, dead-letter queues first; returns the queues' names. Idempotent.

    The order matters: at-least-once dead-lettering keeps a message in its source queue for as long
    as the dead-letter exchange has nowhere to put it.

    Raises:
        BrokerUnavailable: it does not answer.
        ConfigurationError: a queue is there with other arguments, or we may not declare.
    """
    made = every_queue(limit)
    with named_errors(), connection.channel() as channel:
        EVENTS(channel).declare()
        for queue in made:
            queue(channel).declare()
    return [queue.name for queue in made]


def declare_delays(connection: Any, limit: int) -> None:
    """Make what Celery delays messages with, for workers that may not make it themselves."""
    with named_errors():
        declare_native_delayed_delivery_exchanges_and_queues(connection, "quorum")
        for queue in stage_queues(limit):
            bind_queue_to_native_delayed_delivery_exchange(connection, queue)


def verify(connection: Any) -> None:
    """Look whether every queue is there; needs no permission to make one.

    Raises:
        BrokerUnavailable: it does not answer.
        ConfigurationError: a queue is missing.
    """
    with named_errors(), connection.channel() as channel:
        for queue in every_queue(1):
            channel.queue_declare(queue.name, passive=True)


def ensure(connection: Any, limit: int, *, make: bool) -> None:
    """Declare the queues, or where we may not, look whether they are there."""
    if make:
        declare(connection, limit)
    else:
        verify(connection)


def _arguments(limit: int) -> dict[str, Any]:
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": contract.DEAD_EXCHANGE,
        "x-dead-letter-routing-key": DEAD_KEY,
        "x-dead-letter-strategy": "at-least-once",
        # A full queue refuses the publish, and the publisher waits: nothing is dropped.
        "x-overflow": "reject-publish",
        "x-max-length": limit,
    }
