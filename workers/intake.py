"""The consumer of producers' messages: a thread with a connection of its own.

It is not a Celery consumer step, since it waits for the database, and whatever waits in Celery's
main loop stops heartbeats and every other queue with it. Here a database that is down holds one
message unacknowledged and simply stops the reading: the rest stays on the broker.
"""

import logging
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any

from amqp.exceptions import AMQPError, MessageNacked
from kombu import Connection, Producer
from kombu.exceptions import OperationalError

from packshot.contract import INTAKE_QUEUES
from packshot.errors import ConfigurationError, Transient
from packshot.identity import uuid7
from tasks.backoff import pauses
from tasks.intake import Intake, Refusal
from tasks.topology import DEAD, REJECTED_KEY, ensure

log = logging.getLogger(__name__)

#: Messages held unacknowledged: enough to hide the round trip, few enough to hand back quickly.
PREFETCH = 20
#: Each so many messages, one that is not urgent goes first.
TURN = 8
#: Seconds between two looks at the stop flag and two heartbeats.
TICK_SECONDS = 1.0
#: Seconds after two of which without a sign of life a connection counts as dead.
HEARTBEAT_SECONDS = 30
#: Header values longer than this are cut: the whole sentence is in the event.
HEADER_CHARS = 1000
#: Longest pause before a message that is held is tried again, seconds: `stop` waits for its end.
HOLD_CAP = 2.0
#: Times that a message is tried which raises something that has no name.
UNNAMED_TRIES = 5

_BROKER_GONE = (AMQPError, MessageNacked, OSError, OperationalError, Transient, ConfigurationError)


class Unread:
    """Messages that have come and are not taken in, the urgent queue's before the others'."""

    def __init__(self, queues: int) -> None:
        self.queues: tuple[deque[Any], ...] = tuple(deque() for _ in range(queues))
        self._taken = 0

    def __bool__(self) -> bool:
        return any(self.queues)

    def next(self) -> Any:
        """Take one out. Each so many the last queue has its turn first: nothing starves."""
        self._taken += 1
        order = self.queues if self._taken % TURN else self.queues[::-1]
        return next(queue for queue in order if queue).popleft()


class IntakeConsumer:
    """Takes messages off the intake queues, one after the other, until stopped."""

    def __init__(
        self, intake: Intake, *, broker_url: str, queue_limit: int, make_queues: bool = True
    ) -> None:
        self._intake = intake
        self._url = broker_url
        self._limit = queue_limit
        self._make = make_queues
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Stop reading; the message at hand is finished, unread ones go back to the queue."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        waiting = pauses(base=1.0, cap=15.0)
        while not self._stopping.is_set():
            try:
                self._consume()
                waiting = pauses(base=1.0, cap=15.0)
            except _BROKER_GONE as error:
                log.warning("intake lost the broker: %s", error)
                self._stopping.wait(next(waiting))
            except Exception:
                # A bug must not end the thread: nobody would notice that nothing comes in.
                log.exception("intake starts again")
                self._stopping.wait(next(waiting))

    def _consume(self) -> None:
        options = {"confirm_publish": True}
        with Connection(
            self._url, heartbeat=HEARTBEAT_SECONDS, transport_options=options
        ) as connection:
            ensure(connection, self._limit, make=self._make)
            # A channel of the driver, not a consumer of kombu: that would unpack and decode what a
            # stranger's headers say, and raise here for every message where they lie.
            channel = connection.channel()
            channel.auto_decode = False
            channel.basic_qos(0, PREFETCH, False)
            unread = Unread(len(INTAKE_QUEUES))
            for queue, waiting in zip(INTAKE_QUEUES.values(), unread.queues, strict=True):
                channel.basic_consume(queue, callback=waiting.append)
            log.info("intake is ready")
            while not self._stopping.is_set():
                self._listen(connection, 0.0 if unread else TICK_SECONDS)
                if unread:
                    self._take(connection, unread.next())

    @staticmethod
    def _listen(connection: Any, seconds: float) -> None:
        """Give and take signs of life; messages that come meanwhile wait in memory, unacknowledged.

        Whoever sends heartbeats and reads none takes the broker for dead after two of them.
        All that has come is read, which the prefetch bounds: a live message left in the socket
        waits behind every other one there.
        """
        connection.heartbeat_check()
        with suppress(TimeoutError, socket.timeout):  # kombu raises either
            connection.drain_events(timeout=seconds)
            while True:
                connection.drain_events(timeout=0.0)

    def _take(self, connection: Any, message: Any) -> None:
        body = bytes(message.body or b"")  # the driver's empty body is text
        waiting = pauses(base=0.5, cap=HOLD_CAP)
        tries = 0
        while not self._stopping.is_set():
            try:
                answer = self._intake.take(body)
            except Transient as error:
                # Held, not handed back: each delivery counts, and after a few of them the broker
                # would put the message, and those read with it, among the dead letters.
                log.warning("intake waits: %s", error)
            except _BROKER_GONE:
                raise
            except Exception:
                tries += 1
                log.exception("intake cannot take a message in (try %d)", tries)
                if tries == UNNAMED_TRIES:
                    message.channel.basic_reject(message.delivery_tag, requeue=False)
                    return
            else:
                if isinstance(answer, Refusal):
                    self._set_aside(connection, message, body, answer)
                message.channel.basic_ack(message.delivery_tag)
                return
            self._listen(connection, next(waiting))

    @staticmethod
    def _set_aside(connection: Any, message: Any, body: bytes, refusal: Refusal) -> None:
        """Keep a refused message, with the reason, where `packshot dead list` finds it."""
        with connection.channel() as channel:
            Producer(channel, exchange=DEAD, auto_declare=False).publish(
                body,
                routing_key=REJECTED_KEY,
                content_type=message.properties.get("content_type", "application/octet-stream"),
                content_encoding=message.properties.get("content_encoding", "binary"),
                headers={
                    "x-packshot-code": refusal.code,
                    "x-packshot-reason": refusal.message[:HEADER_CHARS],
                },
                # For `packshot dead`: which message it is, and since when it rests.
                message_id=str(uuid7()),
                timestamp=int(time.time()),
                delivery_mode=2,
                mandatory=True,
                confirm_timeout=10.0,
            )
