"""`python -m tests.chaos.fuzz`: mutated messages and photos, and what became of each of them.

Every message must be a job in the ledger or rest, with a code, where people look; every photo must
give a job that has ended, with a code where it failed. No worker may die of it.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from amqp import Message
from kombu import Connection

from packshot.client import Client
from packshot.contract import (
    DEAD_QUEUE,
    EXCHANGE,
    INTAKE_QUEUES,
    REJECTED_QUEUE,
    SUBMIT_KEY,
    Image,
    Job,
    Lane,
    Step,
    queue_name,
)
from packshot.errors import InvalidMessage
from tests.chaos import mutations
from tests.chaos.checker import plain
from tests.support.fleet import Fleet, depth, settings_of, wait_until
from tests.support.installation import install, local_environment
from tests.support.postgres_server import PrivatePostgres
from tests.support.rabbit_node import RabbitNode, confirming
from tests.support.server import Guard

#: Tells a raw message apart where it rests.
NUMBER = "x-fuzz"
#: Seconds without any progress until what is left counts as lost.
PATIENCE = 60.0
#: Messages or jobs under way at once: queues and disks shall not be what is tested.
WINDOW = 500
QUEUES = (*INTAKE_QUEUES.values(), *(queue_name(step, lane) for step in Step for lane in Lane))


@dataclass
class Count:
    """What one kind of input came to."""

    what: str
    sent: int = 0
    #: Where it ended: `job`, or the code of its refusal or failure.
    ends: Counter[str] = field(default_factory=Counter)
    #: Bugs that got a name: a person could do nothing about them.
    unnamed: int = 0

    @property
    def lost(self) -> int:
        """What is nowhere."""
        return self.sent - sum(self.ends.values())

    def line(self) -> str:
        """A row of the table."""
        ends = ", ".join(f"{name} {number}" for name, number in self.ends.most_common())
        return f"| {self.what} | {self.sent} | {self.lost} | {self.unnamed} | {ends} |"


class Fuzz:
    """An installation under fire."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._url = fleet.settings["PACKSHOT_BROKER_URL"]
        self._database = plain(fleet.settings["PACKSHOT_DATABASE_URL"])

    def submissions(self, bodies: Iterable[bytes]) -> Count:
        """Publish to the intake, as a producer does."""
        count = Count("messages to the intake")
        valid: set[tuple[str, str]] = set()
        refused: Counter[bytes] = Counter()
        with confirming(self._url) as connection, connection.channel() as channel:
            for body in bodies:
                count.sent += 1
                try:
                    job = Job.parse(body)
                except InvalidMessage:
                    refused[body] += 1
                else:
                    # Sent again, with other content even: it is a job or a conflict all the same.
                    known = (job.source, job.job_id) in valid
                    valid.add((job.source, job.job_id))
                    count.ends["again"] += known
                channel.basic_publish(Message(body, delivery_mode=2), EXCHANGE, SUBMIT_KEY)
        wanted = refused.total()

        def all_known() -> bool:
            # The intake holds some messages unread: an empty queue does not mean that all are in.
            for body, headers in self._rest(REJECTED_QUEUE):
                code = str(headers.get("x-packshot-code", ""))
                if code != "conflict" and refused[body] > 0:  # conflicts are counted as sent again
                    refused[body] -= 1
                    count.ends[code or "no code"] += 1
                    count.unnamed += not code
            return refused.total() == 0 and valid <= self._names()

        with suppress(AssertionError):
            wait_until(all_known, PATIENCE + wanted / 20, "some messages are nowhere")
        self._settle()
        count.ends["job"] = len(valid & self._names())
        return count

    def raw(self, messages: Iterable[mutations.Raw]) -> Count:
        """Publish to the stages' queues, as nobody should."""
        count = Count("messages to the stages")
        with confirming(self._url) as connection, connection.channel() as channel:
            for number, raw in enumerate(messages):
                headers = {**raw.headers, NUMBER: number}
                message = Message(
                    raw.body, application_headers=headers, delivery_mode=2, **raw.properties
                )
                channel.basic_publish(message, routing_key=raw.queue)
                count.sent += 1
        found: Counter[int] = Counter()

        def all_rest() -> bool:
            # Dead letters travel: an empty queue does not mean that they have arrived.
            found.update(headers[NUMBER] for _, headers in self._rest(DEAD_QUEUE))
            return len(found) >= count.sent

        with suppress(AssertionError):
            wait_until(all_rest, PATIENCE + count.sent / 20, "some messages do not rest")
        count.ends["at rest"] = len(found)
        return count

    def photos(self, files: Iterable[bytes]) -> Count:
        """Submit a job for each file."""
        count = Count("photos")
        folder = Path(tempfile.mkdtemp(dir=self._fleet.folder))
        with Client(self._url) as client:
            for number, data in enumerate(files):
                path = folder / f"{number}.jpg"
                path.write_bytes(data)
                client.submit(
                    Job(
                        version=1,
                        source="photos",
                        job_id=str(number),
                        image=Image(uri=path.as_uri()),
                    )
                )
                count.sent += 1
                if number % WINDOW == WINDOW - 1:
                    self._settle()
        self._settle()
        with psycopg.connect(self._database) as db:
            rows = db.execute(
                "SELECT coalesce(code, status), count(*) FROM jobs WHERE source = 'photos' "
                "AND status IN ('accepted', 'review', 'failed') GROUP BY 1"
            ).fetchall()
        count.ends.update({str(name): int(number) for name, number in rows})
        count.unnamed = count.ends["internal_error"]
        return count

    def _settle(self) -> None:
        """Wait until nothing is queued and nothing runs."""

        def quiet() -> bool:
            if any(depth(self._url, queue) for queue in QUEUES):
                return False
            with psycopg.connect(self._database) as db:
                row = db.execute(
                    "SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')"
                ).fetchone()
            return row is not None and row[0] == 0

        wait_until(quiet, PATIENCE + WINDOW, "something is stuck")

    def _rest(self, queue: str) -> list[tuple[bytes, dict[str, Any]]]:
        """Take everything out of a resting queue."""
        found = []
        with Connection(self._url) as connection, connection.channel() as channel:
            channel.auto_decode = False
            while message := channel.basic_get(queue, no_ack=True):
                body = message.body.encode() if isinstance(message.body, str) else message.body
                found.append((bytes(body or b""), dict(message.headers or {})))
        return found

    def _names(self) -> set[tuple[str, str]]:
        with psycopg.connect(self._database) as db:
            rows = db.execute("SELECT source, job_id FROM jobs").fetchall()
        return {(str(source), str(name)) for source, name in rows}


def fire(fleet: Fleet, *, seed: int, messages: int, photos: int) -> list[Count]:
    """Start two workers, send everything, and count."""
    for _ in range(2):
        fleet.start("all", "-c", "2", "--fake-models", "0")
    fuzz = Fuzz(fleet)
    half = messages // 2
    return [
        fuzz.submissions(mutations.submissions(seed, messages - half)),
        fuzz.raw(mutations.raw_messages(seed, half)),
        fuzz.photos(mutations.photos(seed, photos)),
    ]


def deaths(fleet: Fleet) -> int:
    """How many workers ended before they were asked to, or did not end well."""
    gone = sum(worker.poll() is not None for worker in fleet.workers)
    return max(gone, sum(code != 0 for code in fleet.close()))


def environment(rabbit: str, postgres: str, folder: Path) -> dict[str, str]:
    """Photos come from files here: it is they that are broken, not the way to them."""
    return {**local_environment(rabbit, postgres, folder), "PACKSHOT_ALLOW_FILES": "true"}


def main() -> int:
    """Run from the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.fuzz", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--photos", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    guard = Guard()
    rabbit, postgres = RabbitNode(guard), PrivatePostgres(guard)
    try:
        rabbit.start()
        postgres.start()
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            url = rabbit.broker.url(rabbit.broker.create_vhost())
            fleet = Fleet(environment(url, postgres.url(postgres.create()), folder), folder)
            install(settings_of(fleet.settings))
            counts = fire(fleet, seed=given.seed, messages=given.messages, photos=given.photos)
            dead = deaths(fleet)
    finally:
        rabbit.remove()
        postgres.remove()
        guard.close()
    print("| input | sent | lost | without a name | ends |\n|---|---|---|---|---|")
    for count in counts:
        print(count.line())
    print(f"\nworkers that died: {dead}")
    return int(dead > 0 or any(count.lost or count.unnamed for count in counts))


if __name__ == "__main__":
    sys.exit(main())
