"""The producer's client: five lines to hand a photo to Packshot.

from packshot.client import Client
from packshot.contract import Image, Job

with Client("amqp://listing:...@rabbitmq/") as client:
client.submit(Job(version=1, source="listing", job_id="42", image=Image(uri="s3://in/42.jpg")))
"""

import time
from types import TracebackType
from typing import Any, Self

from kombu import Connection, Exchange, Producer

from packshot.broker import named_errors, reason
from packshot.contract import EXCHANGE, LIVE_SUBMIT_KEY, SUBMIT_KEY, Job, Lane
from packshot.errors import BrokerUnavailable, ConfigurationError

#: Seconds that `submit` keeps trying by default.
DEADLINE_SECONDS = 30.0
#: Seconds to wait for a connection and for a confirm; a quorum queue on real disks answers in
#: milliseconds.
CONNECT_SECONDS, CONFIRM_SECONDS = 5.0, 10.0


class Client:
    """Publishes jobs, each confirmed by the broker. Not thread-safe: one client per thread."""

    def __init__(self, url: str, *, deadline: float = DEADLINE_SECONDS) -> None:
        """Connect lazily to `url`; `deadline` is how many seconds a submit may take."""
        self._connection = Connection(
            url,
            connect_timeout=min(CONNECT_SECONDS, deadline),
            heartbeat=30,
            transport_options={"confirm_publish": True},
        )
        self._deadline = deadline
        self._give_up = 0.0
        self._producer: Any = None
        #: Whether the installation has an intake for the live lane: one set up earlier has none.
        self._has_lanes = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. The client cannot be used afterwards."""
        self._connection.release()

    def submit(self, job: Job) -> None:
        """Publish a job and return once the broker has it on a queue.

        Submitting the same job again is harmless, so a caller that is not sure may repeat it.

        Raises:
            BrokerUnavailable: the broker did not confirm within the deadline (it is down, or its
                queue is full). The job may or may not have arrived.
            ConfigurationError: the broker has no queue for jobs (`packshot broker setup` makes it),
                or it does not let us in.
        """
        body = job.model_dump_json().encode()
        if job.lane is Lane.LIVE and self._has_lanes:
            try:
                return self.publish(body, LIVE_SUBMIT_KEY)
            except ConfigurationError:
                self.publish(body)
                self._has_lanes = False  # known only now: else nothing would be set up at all
                return None
        return self.publish(body)

    def publish(self, body: bytes, key: str = SUBMIT_KEY) -> None:
        """Publish a raw JSON body, as a producer in another language would; raises as `submit`."""
        self._give_up = time.monotonic() + self._deadline
        pause = 0.2
        while True:
            try:
                with named_errors():
                    self._publish(body, key)
            except BrokerUnavailable as error:
                self._start_over()
                if time.monotonic() + pause > self._give_up:
                    cause = error.__cause__ or error
                    raise BrokerUnavailable(
                        f"The broker did not take the job within {self._deadline:g} s "
                        f"({reason(cause)}): submit it again later, that is harmless."
                    ) from cause
                time.sleep(pause)
                pause = min(pause * 2, 2.0)
            except ConfigurationError:
                self._start_over()
                raise
            else:
                return

    def _start_over(self) -> None:
        """Drop the connection: an unroutable message is returned first and confirmed afterwards.

        That confirm would be taken for the next message's.
        """
        self._producer = None
        self._connection.collect()

    def _publish(self, body: bytes, key: str) -> None:
        if self._producer is None:
            # Else kombu tries twice, two seconds apart, whatever our deadline is.
            self._connection.ensure_connection(max_retries=0)
            exchange = Exchange(EXCHANGE, type="topic", durable=True)
            self._producer = Producer(
                self._connection.channel(), exchange=exchange, auto_declare=False
            )
        self._producer.publish(
            body,
            routing_key=key,
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=2,
            mandatory=True,
            confirm_timeout=min(CONFIRM_SECONDS, max(0.1, self._give_up - time.monotonic())),
        )
