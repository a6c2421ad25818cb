"""The producer's client: five lines to hand a photo to Packshot.

from packshot.client import Client
from packshot.contract import Image, Job

with Client("amqp://listing:...@rabbitmq/") as client:
client.submit(Job(version=1, source="listing", job_id="42", image=Image(uri="s3://in/42.jpg")))
"""

import time
from types import TracebackType
from typing import Any, Self

from amqp.exceptions import ChannelError, MessageNacked, RecoverableConnectionError
from kombu import Connection, Exchange, Producer
from kombu.exceptions import OperationalError

from packshot.contract import EXCHANGE, SUBMIT_KEY, Job
from packshot.errors import BrokerUnavailable, ConfigurationError

#: Seconds that `submit` keeps trying by default.
DEADLINE_SECONDS = 30.0
#: Seconds to wait for one confirm; a quorum queue on real disks answers in milliseconds.
CONFIRM_SECONDS = 10.0


class Client:
    """Publishes jobs, each confirmed by the broker. Not thread-safe: one client per thread."""

    def __init__(self, url: str, *, deadline: float = DEADLINE_SECONDS) -> None:
        """Connect lazily to `url`; `deadline` is how many seconds a submit may take."""
        self._connection = Connection(
            url,
            connect_timeout=5,
            heartbeat=30,
            transport_options={"confirm_publish": True},
        )
        self._deadline = deadline
        self._producer: Any = None

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
            ConfigurationError: the broker has no queue for jobs; `packshot broker setup` makes it.
        """
        self.publish(job.model_dump_json().encode())

    def publish(self, body: bytes) -> None:
        """Publish a raw JSON body, as a producer in another language would."""
        give_up = time.monotonic() + self._deadline
        pause = 0.2
        while True:
            try:
                self._publish(body)
            except (MessageNacked, OperationalError, RecoverableConnectionError, OSError) as error:
                self._producer = None
                self._connection.collect()  # drop it without a word to a peer that may be gone
                if time.monotonic() + pause > give_up:
                    raise BrokerUnavailable(
                        f"The broker did not take the job within {self._deadline:g} s ({error}): "
                        "submit it again later, that is harmless."
                    ) from error
                time.sleep(pause)
                pause = min(pause * 2, 2.0)
            except ChannelError as error:
                raise ConfigurationError(
                    f"The broker has no queue for jobs ({error}): start a worker of role `io` "
                    "or run `packshot broker setup` once."
                ) from error
            else:
                return

    def _publish(self, body: bytes) -> None:
        if self._producer is None:
            exchange = Exchange(EXCHANGE, type="topic", durable=True)
            self._producer = Producer(
                self._connection.channel(), exchange=exchange, auto_declare=False
            )
        self._producer.publish(
            body,
            routing_key=SUBMIT_KEY,
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=2,
            mandatory=True,
            timeout=CONFIRM_SECONDS,
            confirm_timeout=CONFIRM_SECONDS,
        )
