"""Publishing events out of the outbox."""

import json
import logging
import threading
from typing import Any

from amqp.exceptions import AMQPError, MessageNacked
from celery import Celery
from kombu import Connection, Producer

from packshot import metrics
from packshot.errors import Transient
from packshot.store.outbox import BATCH, Outbox
from packshot.telemetry import action
from packshot.tracing import NoTracing, Tracing
from tasks.topology import EVENTS

log = logging.getLogger(__name__)

#: Seconds between two looks at an empty outbox; a commit in this process wakes the relay at once.
POLL_SECONDS = 0.5
#: Seconds to wait for a confirm.
CONFIRM_SECONDS = 10.0


class Relay:
    """A thread that empties the outbox. `wake` saves the wait; `stop` flushes what is there."""

    def __init__(
        self,
        app: Celery,
        outbox: Outbox,
        *,
        declare: bool = True,
        tracing: Tracing | None = None,
    ) -> None:
        """`declare`: make the exchange of events where it is missing."""
        self._tracing = tracing or NoTracing()
        self._app = app
        self._declare = declare
        self._outbox = outbox
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox-relay", daemon=True)
        self._connection: Any = None
        self._producer: Any = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the outbox now."""
        self._wake.set()

    def stop(self, timeout: float = 10.0) -> None:
        """Flush the outbox and end, within `timeout` seconds; what is left waits for a relay."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            last = self._stopping.is_set()
            self._wake.clear()
            self._drain()
            if last:
                break
            self._wake.wait(POLL_SECONDS)
        self._disconnect()

    def _drain(self) -> None:
        try:
            while self._outbox.relay(self._traced) == BATCH:
                pass
        except (Transient, AMQPError, MessageNacked, OSError) as error:
            log.warning("the outbox waits: %s", error, extra=action("outbox.waits"))
            self._disconnect()
        except Exception:
            # A bug must not end the thread: events would wait until the next restart, unseen.
            log.exception("the outbox waits", extra=action("outbox.waits"))
            self._disconnect()

    def _traced(self, kind: str, event: dict[str, Any]) -> None:
        with self._tracing.event(kind, event):
            self._publish(kind, event)
        metrics.EVENTS.labels(kind).inc()

    def _publish(self, kind: str, event: dict[str, Any]) -> None:
        if self._producer is None:
            # Of its own: a connection of the app's pool is shared with tasks and their confirms.
            self._connection = Connection(
                self._app.conf.broker_url,
                connect_timeout=5,
                transport_options={"confirm_publish": True},
            )
            self._producer = Producer(
                self._connection.channel(), exchange=EVENTS, auto_declare=self._declare
            )
        self._producer.publish(
            json.dumps(event, ensure_ascii=False).encode(),
            content_type="application/cloudevents+json",
            content_encoding="utf-8",
            routing_key=kind,
            delivery_mode=2,
            message_id=event["id"],
            timeout=CONFIRM_SECONDS,
            confirm_timeout=CONFIRM_SECONDS,
        )

    def _disconnect(self) -> None:
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            connection.release()
