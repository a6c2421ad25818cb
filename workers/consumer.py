"""Celery's consumer, made safe against messages that are not ours.

In Celery 5.7.0 a message with task headers but a wrong body (not a list of three, no content type,
no id, a mistyped time limit) raises in the main loop and ends the process, is redelivered, and
ends the next one. One that is not JSON is acknowledged and lost. Here every message that does not
have our own form is rejected and rests in the dead-letter queue, and the worker goes on.
"""

import logging
from typing import Any

from celery.worker.consumer import Consumer

from packshot import contract
from packshot.errors import InvalidMessage
from tasks.topology import DEAD_KEY
from workers import envelope

log = logging.getLogger(__name__)


class SafeConsumer(Consumer):  # type: ignore[misc] # Celery is untyped
    """Dead-letters what it cannot read."""

    def create_task_handler(self, *args: Any, **options: Any) -> Any:
        """Wrap Celery's handler; connection errors keep their meaning."""
        handler = super().create_task_handler(*args, **options)
        # By them Celery would put a message off, or acknowledge it unread, as this machine's clock
        # has it. Where the broker delays, it has done so already, and no step expires.
        delays = self.app.conf.worker_detect_quorum_queues
        ignored = {"eta": None, "expires": None} if delays else {"expires": None}
        meaningful = (*self.connection_errors, *self.channel_errors)

        def on_task_received(message: Any) -> Any:
            try:
                envelope.check(message)
                message.headers.update(ignored)
                return handler(message)
            except meaningful:
                raise
            except InvalidMessage as error:
                log.error("foreign message goes to the dead letters: %s", error)  # noqa: TRY400
                self._set_aside(message)
            except Exception:
                # Whatever a foreign message makes Celery's parsers raise: the list has no end.
                log.exception("malformed task message goes to the dead letters")
                self._set_aside(message)

        return on_task_received

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Dead-letter a body that cannot be decoded; Celery would acknowledge it."""
        log.error("undecodable message goes to the dead letters: %r", exc)
        self._set_aside(message)

    def _set_aside(self, message: Any) -> None:
        """Let the broker dead-letter a message, or do it ourselves where that would break it."""
        if not envelope.breaks_dead_lettering(message):
            message.reject_log_error(log, self.connection_errors)
            return
        body = message.body
        with self.app.producer_or_acquire() as producer:
            producer.publish(
                body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body),
                exchange=contract.DEAD_EXCHANGE,
                routing_key=DEAD_KEY,
                content_type=message.content_type or "application/octet-stream",
                content_encoding=message.content_encoding or "binary",
                headers={k: v for k, v in message.headers.items() if k != envelope.DEATHS},
                delivery_mode=2,
                mandatory=True,
            )
        message.ack_log_error(log, self.connection_errors)


class GuestConsumer(SafeConsumer):
    """The same for a worker that may not make queues: Celery's delays are there already."""

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc] # Celery is untyped
        """Celery's own steps but the one that declares."""

        default_steps = tuple(
            step
            for step in Consumer.Blueprint.default_steps
            if not step.endswith(":DelayedDelivery")
        )
