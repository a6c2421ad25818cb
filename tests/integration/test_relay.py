"""Events out of a real ledger over a real broker: confirmed, in order, and never lost."""

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from celery import Celery
from kombu import Connection
from pydantic import SecretStr
from sqlalchemy import Engine

from packshot.contract import EVENTS_EXCHANGE, REVIEW_QUEUE, Event, Step
from packshot.errors import NotFound
from packshot.events import data_of
from packshot.settings import Settings
from packshot.store.engine import open_engine
from packshot.store.ledger import Ledger
from packshot.store.outbox import Outbox
from tasks.app import create_app
from tasks.relay import Relay
from tests.support.cutproxy import CutProxy
from tests.support.fleet import depth, wait_until
from tests.support.installation import install, small_job
from tests.support.rabbit_node import Broker

pytestmark = pytest.mark.services

QUEUE = "test.events"


@pytest.fixture
def engine(rabbit: str, postgres: str) -> Iterator[Engine]:
    own = {"broker_url": SecretStr(rabbit), "database_url": SecretStr(postgres)}
    install(Settings().model_copy(update=own))
    engine = open_engine(postgres)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine, pipeline="test")


@pytest.fixture
def line(broker: Broker, cut: Callable[[int], CutProxy]) -> CutProxy:
    return cut(broker.amqp_port)


@pytest.fixture
def app(rabbit: str, broker: Broker, line: CutProxy) -> Celery:
    url = broker.url(urlsplit(rabbit).path.lstrip("/"), line.port)
    return create_app(Settings().model_copy(update={"broker_url": SecretStr(url)}))


@pytest.fixture
def start(engine: Engine, app: Celery) -> Iterator[Callable[[], Relay]]:
    relays: list[Relay] = []

    def start() -> Relay:
        relays.append(Relay(app, Outbox(engine)))
        relays[-1].start()
        return relays[-1]

    yield start
    for relay in relays:
        relay.stop()


def bind(url: str, **arguments: Any) -> None:
    """Make a queue that gets every event."""
    with Connection(url) as connection, connection.channel() as channel:
        channel.queue_declare(QUEUE, durable=True, auto_delete=False, arguments=arguments)
        channel.queue_bind(QUEUE, EVENTS_EXCHANGE, "#")


def read(url: str) -> list[Any]:
    found = []
    with Connection(url) as connection, connection.channel() as channel:
        while message := channel.basic_get(QUEUE, no_ack=True):
            found.append(message)
    return found


def fail(ledger: Ledger, name: str, sentence: str) -> None:
    """Write `job.failed` for a job, which a person has resumed where it had failed before."""
    job = small_job(name)
    known = ledger.submit(job)
    if not known.start:
        ledger.retry(job.source, job.job_id)
    ticket = ledger.begin(known.id, Step.PREPARE, worker="test")
    ledger.fail(ticket, NotFound(sentence))


def test_an_event_is_a_cloud_event_with_its_id_on_the_message(
    rabbit: str, ledger: Ledger, engine: Engine, start: Callable[[], Relay]
) -> None:
    bind(rabbit)
    relay = start()
    fail(ledger, "茶", "There is no photo.")
    relay.wake()
    wait_until(lambda: depth(rabbit, QUEUE) == 1, 10, "no event")
    (message,) = read(rabbit)
    event = Event.model_validate_json(message.body)
    assert message.properties["content_type"] == "application/cloudevents+json"
    assert message.properties["delivery_mode"] == 2
    assert message.properties["message_id"] == event.id
    assert message.delivery_info["routing_key"] == event.type == "job.failed"
    assert event.subject == "tests/茶"
    assert "茶" in message.body  # as it is, not as an escape
    data = data_of(event)
    assert data.model_dump()["message"] == "There is no photo."
    wait_until(lambda: Outbox(engine).waiting() == 0, 10, "it is not marked")
    assert depth(rabbit, REVIEW_QUEUE) == 0


def test_what_the_broker_refuses_stays_in_the_outbox(
    rabbit: str, ledger: Ledger, engine: Engine, start: Callable[[], Relay]
) -> None:
    """Without confirms the second event would be marked as published, and lost."""
    bind(rabbit, **{"x-max-length": 1, "x-overflow": "reject-publish"})
    start()
    for name in "ab":
        fail(ledger, name, "no")
    wait_until(lambda: depth(rabbit, QUEUE) == 1, 10, "no event")
    wait_until(lambda: Outbox(engine).waiting() == 1, 10, "both are marked, or none")
    assert [json.loads(one.body)["subject"] for one in read(rabbit)] == ["tests/a"]
    wait_until(lambda: Outbox(engine).waiting() == 0, 10, "the other one is lost")
    assert [json.loads(one.body)["subject"] for one in read(rabbit)] == ["tests/b"]


def test_events_wait_for_a_broker_that_is_away(
    rabbit: str, ledger: Ledger, engine: Engine, line: CutProxy, start: Callable[[], Relay]
) -> None:
    bind(rabbit)
    start()
    fail(ledger, "0", "no")
    wait_until(lambda: Outbox(engine).waiting() == 0, 10, "the first one does not go out")
    line.cut()
    tried = line.connections
    for name in "1234":
        fail(ledger, name, "no")
    wait_until(lambda: line.connections > tried, 10, "nobody tries")
    assert Outbox(engine).waiting() == 4
    line.heal()
    wait_until(lambda: Outbox(engine).waiting() == 0, 10, "they do not go out")
    assert [json.loads(one.body)["subject"] for one in read(rabbit)] == [
        f"tests/{number}" for number in range(5)
    ]


def test_stop_flushes_what_is_there(
    rabbit: str, ledger: Ledger, engine: Engine, start: Callable[[], Relay]
) -> None:
    bind(rabbit)
    relay = start()
    for name in "abc":
        fail(ledger, name, "no")
    relay.stop()
    assert Outbox(engine).waiting() == 0
    assert len(read(rabbit)) == 3


def test_two_relays_keep_the_order_within_a_job(
    rabbit: str, ledger: Ledger, engine: Engine, start: Callable[[], Relay]
) -> None:
    """More than a batch waits, so that both have one in hand at the same time."""
    bind(rabbit)
    for turn in range(4):
        for name in range(20):
            fail(ledger, str(name), str(turn))
    start()
    start()
    wait_until(lambda: Outbox(engine).waiting() == 0, 20, "events are left")
    told: dict[str, list[str]] = defaultdict(list)
    for message in read(rabbit):
        event = json.loads(message.body)
        told[event["subject"]].append(event["data"]["message"])
    assert len(told) == 20
    assert set(map(tuple, told.values())) == {("0", "1", "2", "3")}


def test_a_relay_whose_batch_is_slow_is_not_overtaken_by_another(
    ledger: Ledger, engine: Engine
) -> None:
    for turn in range(2):
        fail(ledger, "a", str(turn))
    held, go_on, told = threading.Event(), threading.Event(), []

    def slow(_kind: str, event: dict[str, Any]) -> None:
        held.set()
        assert go_on.wait(10)
        told.append(event["data"]["message"])

    first = threading.Thread(target=lambda: _drain(Outbox(engine), slow))
    first.start()
    try:
        assert held.wait(10)
        fail(ledger, "a", "2")
        assert Outbox(engine).relay(lambda _kind, event: told.append(event["data"]["message"])) == 0
    finally:
        go_on.set()
        first.join(10)
    assert told == ["0", "1", "2"]


def _drain(outbox: Outbox, publish: Callable[[str, dict[str, Any]], None]) -> None:
    while outbox.relay(publish):
        pass
