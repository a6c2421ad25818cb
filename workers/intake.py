"""The consumer of producers' messages: a thread with a connection of its own.

It is not a Celery consumer step, since it waits for the database, and whatever waits in Celery's
main loop stops heartbeats and every other queue with it. Here a database that is down holds one
message unacknowledged and simply stops the reading: the rest stays on the broker.
"""

import logging
import socket
import threading
import time
from typing import Any

from amqp.exceptions import AMQPError, MessageNacked
from celery.exceptions import OperationalError as PublishFailed
from kombu import Connection, Consumer, Producer
from kombu.exceptions import OperationalError

from packshot.errors import Transient
from packshot.identity import uuid7
from tasks.backoff import pauses
from tasks.intake import Intake, Refusal
from tasks.topology import DEAD, REJECTED_KEY, declare, intake_queue

log = logging.getLogger(__name__)

#: Messages held unacknowledged: enough to hide the round trip, few enough to hand back quickly.
PREFETCH = 20
#: Seconds between two looks at the stop flag and two heartbeats.
TICK_SECONDS = 1.0
#: Header values longer than this are cut: the whole sentence is in the event.
HEADER_CHARS = 1000

_BROKER_GONE = (AMQPError, MessageNacked, OSError, OperationalError, PublishFailed)


class IntakeConsumer:
    """Takes messages off `packshot.intake`, one after the other, until stopped."""

    def __init__(self, intake: Intake, *, broker_url: str, queue_limit: int) -> None:
        self._intake = intake
        self._url = broker_url
        self._limit = queue_limit
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
                # A bug must not end the thread; its message comes again, and after the broker's
                # delivery limit it rests with the dead letters.
                log.exception("intake starts again")
                self._stopping.wait(next(waiting))

    def _consume(self) -> None:
        options = {"confirm_publish": True}
        with Connection(self._url, heartbeat=30, transport_options=options) as connection:
            declare(connection, self._limit)
            channel = connection.channel()
            queue = intake_queue(self._limit)
            on_message = lambda message: self._take(connection, message)  # noqa: E731
            with Consumer(
                channel, [queue], on_message=on_message, prefetch_count=PREFETCH, auto_declare=False
            ):
                log.info("intake is ready")
                while not self._stopping.is_set():
                    connection.heartbeat_check()
                    try:
                        connection.drain_events(timeout=TICK_SECONDS)
                    except (TimeoutError, socket.timeout):  # noqa: UP041 - kombu raises either
                        continue

    def _take(self, connection: Any, message: Any) -> None:
        body = bytes(message.body) if not isinstance(message.body, str) else message.body.encode()
        waiting = pauses(base=0.5, cap=5.0)
        while not self._stopping.is_set():
            try:
                answer = self._intake.take(body)
            except Transient as error:
                log.warning("intake waits: %s", error)
                connection.heartbeat_check()
                self._stopping.wait(next(waiting))
                continue
            if isinstance(answer, Refusal):
                self._set_aside(connection, message, body, answer)
            message.ack()
            return

    @staticmethod
    def _set_aside(connection: Any, message: Any, body: bytes, refusal: Refusal) -> None:
        """Keep a refused message, with the reason, where `packshot dead list` finds it."""
        with connection.channel() as channel:
            Producer(channel, exchange=DEAD, auto_declare=False).publish(
                body,
                routing_key=REJECTED_KEY,
                content_type=message.content_type or "application/octet-stream",
                content_encoding=message.content_encoding or "utf-8",
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
