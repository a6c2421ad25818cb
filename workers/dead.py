"""Dead letters: looking at the two resting queues without losing anything.

A letter is held, unacknowledged, from the moment it is read until the look ends; then every letter
that was not removed goes back to its queue. A look that is killed loses its connection, which has
the same effect. Each look counts as a delivery on most releases of RabbitMQ, which is why
`tasks.topology` gives the resting queues a delivery limit that nobody reaches.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Self
from uuid import UUID

from kombu import Connection

from packshot.broker import named_errors
from packshot.contract import DEAD_QUEUE, INTAKE_QUEUES, REJECTED_QUEUE, Step, task_name

#: The queues that messages rest in until a person decides.
RESTING = (DEAD_QUEUE, REJECTED_QUEUE)
#: Hexadecimal digits of a letter's id: two of 10,000 letters share one with probability 0.1 %.
ID_DIGITS = 10
#: Where whoever runs these commands has set the broker's address.
BROKER = "PACKSHOT_BROKER_URL"
#: Seconds to wait for one answer of the broker.
ANSWER_SECONDS = 20.0
#: Longest body that is read for the names in it, bytes.
_READABLE = 1024 * 1024

_STEPS = {task_name(step): step for step in Step}


class Kind(StrEnum):
    """What a letter was before it died; this decides what a replay does."""

    JOB = "job"  # a producer's message: it goes to the intake again
    STEP = "step"  # a step of a job: the ledger says where the job goes on
    FOREIGN = "foreign"  # neither: nothing here can work with it


@dataclass(frozen=True, eq=False)
class Letter:
    """One message that rests. `tag` is the broker's handle on it while it is held."""

    queue: str
    body: bytes
    headers: Mapping[str, Any]
    properties: Mapping[str, Any]
    tag: int

    @cached_property
    def id(self) -> str:
        """Short and stable: it stays the same however often somebody looks.

        Identical messages share it: whatever is done to one may be done to all of them.
        """
        names = (self.properties.get("message_id"), self.headers.get("id"))
        head = "\0".join((self.queue, *(str(name or "") for name in names)))
        return hashlib.sha256(head.encode() + b"\0" + self.body).hexdigest()[:ID_DIGITS]

    @cached_property
    def kind(self) -> Kind:
        """What the letter was."""
        if self.step is not None:
            return Kind.STEP
        if self.queue == REJECTED_QUEUE or self._death.get("queue") in INTAKE_QUEUES.values():
            return Kind.JOB
        return Kind.FOREIGN

    @cached_property
    def step(self) -> tuple[UUID, Step] | None:
        """The job and the step that a worker was asked for; None for everything else."""
        step = _STEPS.get(str(self.headers.get("task")))
        content = self.content
        if step is None or not isinstance(content, list) or len(content) != 3:
            return None
        named = content[1]
        try:
            return UUID(named["job"]), step
        except (TypeError, KeyError, ValueError, AttributeError):
            return None

    @cached_property
    def content(self) -> Any:
        """The body as JSON; None where it is none, or too long to be read for a look."""
        if len(self.body) > _READABLE:
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def name(self) -> tuple[str, str] | None:
        """The producer's own name for the job, (source, job_id), where it can be read."""
        content = self.content
        if not isinstance(content, dict):
            return None
        source, job_id = content.get("source"), content.get("job_id")
        return (source, job_id) if isinstance(source, str) and isinstance(job_id, str) else None

    @property
    def code(self) -> str:
        """Why it rests: our own code for a refused message, else the broker's word."""
        return str(self.headers.get("x-packshot-code") or self._death.get("reason") or "unknown")

    @property
    def reason(self) -> str:
        """The sentence that belongs to the code."""
        told = self.headers.get("x-packshot-reason")
        if told:
            return str(told)
        origin = self.origin
        sentences = {
            "rejected": f"A worker gave it up on {origin}: its log says why.",
            "delivery_limit": f"It was delivered too often on {origin} without an answer.",
        }
        return sentences.get(self.code, f"It came from {origin}." if origin else "")

    @property
    def origin(self) -> str:
        """The queue that it died on, or an empty string."""
        return str(self._death.get("queue", ""))

    @property
    def since(self) -> datetime | None:
        """When it came to rest, UTC; None where nobody wrote it down."""
        moment = self._death.get("time")
        if isinstance(moment, datetime):
            return moment.replace(tzinfo=UTC)
        stamp = self.properties.get("timestamp")
        return datetime.fromtimestamp(stamp, UTC) if isinstance(stamp, int) else None

    @cached_property
    def _death(self) -> Mapping[str, Any]:
        """The newest entry of the broker's own record that is not one of a delayed delivery."""
        deaths = self.headers.get("x-death")
        for death in deaths if isinstance(deaths, list) else ():
            if isinstance(death, dict) and str(death.get("queue")).startswith("packshot."):
                return death
        return {}


class Look:
    """A look at the resting queues: letters are held until the look ends.

    Every method raises `BrokerUnavailable` when the broker does not answer, and
    `ConfigurationError` when it refuses us or has no such queue.
    """

    def __init__(self, url: str) -> None:
        self._connection = Connection(
            url,
            connect_timeout=5,
            transport_options={"read_timeout": ANSWER_SECONDS, "write_timeout": ANSWER_SECONDS},
        )
        self._channel: Any = None
        self._held: set[int] = set()

    def __enter__(self) -> Self:
        with named_errors(BROKER):
            self._channel = self._connection.channel()
            # A producer's bytes are kept as they are, whatever encoding they claim to have.
            self._channel.auto_decode = False
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with named_errors(BROKER):
                # A lost channel gives everything back too, but a moment later than it is told.
                for tag in sorted(self._held):
                    self._channel.basic_reject(tag, requeue=True)
                # Answered by the broker: whatever was said before it has arrived.
                self._channel.close()
        finally:
            self._connection.release()

    def depth(self, queue: str) -> int:
        """How many letters wait in a queue, those that are held not counted."""
        with named_errors(BROKER):
            return int(self._channel.queue_declare(queue, passive=True).message_count)

    def letters(self, queues: tuple[str, ...] = RESTING) -> Iterator[Letter]:
        """Every letter once. What comes to rest meanwhile is left for the next look."""
        for queue in queues:
            for _ in range(self.depth(queue)):
                with named_errors(BROKER):
                    message = self._channel.basic_get(queue)
                if message is None:
                    break
                properties = dict(message.properties)
                headers = properties.pop("application_headers", None) or {}
                body = message.body
                self._held.add(message.delivery_tag)
                yield Letter(
                    queue=queue,
                    body=body.encode() if isinstance(body, str) else bytes(body),
                    headers=headers,
                    properties=properties,
                    tag=message.delivery_tag,
                )

    def remove(self, letter: Letter) -> None:
        """Take a letter out of its queue for good. Certain only once the look has ended."""
        with named_errors(BROKER):
            self._channel.basic_ack(letter.tag)
        self._held.discard(letter.tag)
