"""Whatever lies on a stage's queue: the worker lives, and every message rests where people look."""

import json
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from amqp import Message
from kombu import Connection

from packshot.client import Client
from packshot.contract import DEAD_QUEUE, Lane, Step, queue_name
from tests.support.fleet import Fleet, Listener, depth, settings_of, wait_until
from tests.support.installation import install, local_environment, small_job

pytestmark = pytest.mark.services

#: Header that tells the forms apart where they rest.
FORM = "x-form"
PICKLE = "application/x-python-serialize"
NOBODY = str(uuid.UUID(int=7))
QUEUE = queue_name(Step.PREPARE, Lane.BULK)
GOOD: dict[str, Any] = {"job": NOBODY, "step": "prepare", "lane": "bulk"}


@dataclass(frozen=True)
class Form:
    """One message: `headers` change those of a proper task message, None takes one away."""

    id: str
    body: bytes = json.dumps([[], GOOD, {}]).encode()
    headers: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)

    def message(self) -> Any:
        """The message as a library in another language could send it."""
        headers = {"task": "packshot.prepare", "id": str(uuid.uuid4()), "lang": "py", FORM: self.id}
        headers = {name: value for name, value in (headers | self.headers).items() if value != GONE}
        properties = {"content_type": "application/json", "content_encoding": "utf-8"}
        properties = {
            name: value
            for name, value in (properties | self.properties).items()
            if value is not None
        }
        return Message(self.body, application_headers=headers, delivery_mode=2, **properties)


#: Takes a header away; None is a value.
GONE = "gone"


def body(args: Any = (), kwargs: Any = None, embed: Any = None) -> bytes:
    values = [args, GOOD if kwargs is None else kwargs, {} if embed is None else embed]
    return json.dumps(values).encode()


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


def forms() -> Iterator[Form]:
    """Everything that somebody else's message could be."""
    yield Form("not JSON", b"{'job': 1")
    yield Form("empty", b"")
    yield Form("random bytes", random.Random(7).randbytes(4096))
    yield Form("not UTF-8", b'[[], {"job": "\xff\xfe"}, {}]')
    yield Form("list of two", b"[[], {}]")
    yield Form("list of four", b"[[], {}, {}, {}]")
    yield Form("object", json.dumps(GOOD).encode())
    yield Form("number", b"7")
    yield Form("null", b"null")
    yield Form("text", b'"hello"')
    yield Form("args are text", body(args="abc"))
    yield Form("args are a number", body(args=7))
    yield Form("kwargs are a list", body(kwargs=[1, 2]))
    yield Form("kwargs are text", body(kwargs="abc"))
    yield Form("embed is a list", body(embed=[1]))
    yield Form("embed is text", body(embed="abc"))
    yield Form("embed is null", json.dumps([[], GOOD, None]).encode())
    yield Form("chain is text", body(embed={"chain": "abc"}))
    yield Form("chain of nothing", body(embed={"chain": [None]}))
    yield Form("chain of unknown", body(embed={"chain": [{"task": "nobody.home"}]}))
    yield Form("callbacks are text", body(embed={"callbacks": "abc"}))
    yield Form("errbacks of nothing", body(embed={"errbacks": [None]}))
    yield Form("chord is text", body(embed={"chord": "abc"}))
    yield Form("large", body(kwargs=GOOD | {"more": "x" * 2**21}))
    yield Form("deep", b"[" * 50_000 + b"]" * 50_000)
    yield Form("NaN", b'[[], {"job": NaN, "step": "prepare", "lane": "bulk"}, {}]')
    yield Form("no content type", properties={"content_type": None})
    yield Form("text/plain", properties={"content_type": "text/plain"})
    yield Form(
        "pickle", b"\x80\x04.", properties={"content_type": "application/x-python-serialize"}
    )
    yield Form("yaml", b"a: 1", properties={"content_type": "application/x-yaml"})
    yield Form("unknown type", properties={"content_type": "image/jpeg"})
    yield Form("unknown encoding", properties={"content_encoding": "utf-99"})
    yield Form("binary encoding", properties={"content_encoding": "binary"})
    yield Form("no encoding", properties={"content_encoding": None})
    yield Form("not gzip", headers={"compression": "application/x-gzip"})
    yield Form("unknown compression", headers={"compression": "application/x-nothing"})
    yield Form("no headers", headers={"task": GONE, "id": GONE, "lang": GONE})
    yield Form("no id", headers={"id": GONE})
    yield Form("id is null", headers={"id": None})
    yield Form("id is a number", headers={"id": 7})
    yield Form("id is a list", headers={"id": [7]})
    yield Form("id is long", headers={"id": "x" * 20_000})
    yield Form("no task", headers={"task": GONE})
    yield Form("unknown task", headers={"task": "nobody.home"})
    yield Form("task is a number", headers={"task": 7})
    yield Form("task is null", headers={"task": None})
    yield Form("task is a table", headers={"task": {"a": 1}})
    yield Form("no job", body(kwargs=without("job")))
    yield Form("no step", body(kwargs=without("step")))
    yield Form("no lane", body(kwargs=without("lane")))
    yield Form("one argument too many", body(kwargs=GOOD | {"more": 1}))
    yield Form("positional arguments", body(args=[NOBODY, "prepare", "bulk"], kwargs={}))
    yield Form("job is no UUID", body(kwargs=GOOD | {"job": "42"}))
    yield Form("job is a number", body(kwargs=GOOD | {"job": 42}))
    yield Form("job is null", body(kwargs=GOOD | {"job": None}))
    yield Form("unknown job")
    yield Form("step of another task", body(kwargs=GOOD | {"step": "finish"}))
    yield Form("unknown lane", body(kwargs=GOOD | {"lane": "fast"}))
    yield Form("unknown step", body(kwargs=GOOD | {"step": "bake"}))
    yield Form("step is a list", body(kwargs=GOOD | {"step": []}))
    yield Form("eta is text", headers={"eta": "tomorrow"})
    yield Form("eta is a number", headers={"eta": 7})
    yield Form("eta is a table", headers={"eta": {"a": 1}})
    yield Form("eta in the far future", headers={"eta": "2999-01-01T00:00:00+00:00"})
    yield Form("expires is text", headers={"expires": "tomorrow"})
    yield Form("expires is a number", headers={"expires": 7})
    yield Form("expired", headers={"expires": "2001-01-01T00:00:00+00:00"})
    yield Form("timelimit is text", headers={"timelimit": "abc"})
    yield Form("timelimit is a number", headers={"timelimit": 7})
    yield Form("timelimit of text", headers={"timelimit": ["a", "b"]})
    yield Form("timelimit of one", headers={"timelimit": [1]})
    yield Form("retries is text", headers={"retries": "many"})
    yield Form("retries is a table", headers={"retries": {"a": 1}})
    yield Form("retries is negative", headers={"retries": -1})
    yield Form("root is a list", headers={"root_id": [1], "parent_id": {"a": 1}})
    yield Form("group is a table", headers={"group": {"a": 1}})
    yield Form("stamps are text", headers={"stamps": "abc", "stamped_headers": "abc"})
    yield Form("replaced nesting is text", headers={"replaced_task_nesting": "abc"})
    yield Form("origin is a table", headers={"origin": {"a": 1}, "shadow": {"a": 1}})
    yield Form("another language", headers={"lang": "c++"})
    yield Form("deaths", headers={"x-death": "abc"})
    # One of these ends dead-lettering in the whole broker, if the broker is asked to do it.
    yield Form("deaths of nothing", headers={"x-death": [1]})
    yield Form("deaths without a queue", headers={"x-death": [{"count": "x"}]})
    yield Form("huge headers", headers={f"h{number}": "x" * 1000 for number in range(100)})
    yield Form("reply_to nobody", properties={"reply_to": "nobody", "correlation_id": "x"})


@pytest.fixture
def fleet(rabbit: str, postgres: str, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(local_environment(rabbit, postgres, tmp_path), tmp_path)
    install(settings_of(fleet.settings))
    yield fleet
    fleet.close()


def resting(channel: Any) -> Counter[str]:
    """Take everything out of `packshot.dead`, by form."""
    found: Counter[str] = Counter()
    while message := channel.basic_get(DEAD_QUEUE, no_ack=True):
        found[message.headers.get(FORM, "one of ours")] += 1
    return found


def test_every_form_rests_once_and_the_worker_goes_on(
    fleet: Fleet, rabbit: str, listen: Callable[[], Listener]
) -> None:
    """Two steps at once: a message that is never answered would soon stop the queue."""
    table = list(forms())
    wanted = Counter(form.id for form in table)
    assert set(wanted.values()) == {1}
    worker = fleet.start("all", "-c", "2", "--fake-models", "0")
    listener = listen()
    with Connection(rabbit) as connection, connection.channel() as channel:
        for form in table:
            channel.basic_publish(form.message(), routing_key=QUEUE)
        found: Counter[str] = Counter()

        def all_rest() -> bool:
            found.update(resting(channel))
            return found.total() >= len(table)

        wait_until(all_rest, 30, "some are neither answered nor at rest")
        assert found == wanted
        assert worker.poll() is None
        with Client(rabbit) as client:
            client.submit(small_job("good"))
        (event,) = listener.wait(1, 30)
        assert event["type"] in {"job.accepted", "job.review_requested"}
        # A proper message that comes once more is answered by the ledger, and leaves nothing.
        again = GOOD | {"job": event["data"]["id"]}
        channel.basic_publish(Form("again", body(kwargs=again)).message(), routing_key=QUEUE)
        listener.quiet(0.5)
        assert fleet.close() == [0]
        assert depth(rabbit, QUEUE) == 0
        assert resting(channel) == Counter()
