"""Exchanges, queues and what becomes of a message that the broker does not take."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from amqp import Message
from amqp.exceptions import NotFound
from celery import Celery
from kombu import Connection
from pydantic import SecretStr

from packshot.client import Client
from packshot.contract import (
    DEAD_QUEUE,
    INTAKE_QUEUE,
    REJECTED_QUEUE,
    REVIEW_QUEUE,
    SUBMIT_KEY,
    Lane,
    Step,
    queue_name,
)
from packshot.errors import BrokerUnavailable, ConfigurationError
from packshot.identity import uuid7
from packshot.settings import Settings
from packshot.store.engine import open_engine
from packshot.store.views import JobView, Views
from tasks import workflow
from tasks.app import create_app
from tasks.topology import declare, every_queue
from tests.support.cutproxy import CutProxy, Mode
from tests.support.fleet import Fleet, Listener, depth, settings_of, wait_until
from tests.support.installation import install, local_environment, small_job
from tests.support.rabbit_node import Broker, confirming

pytestmark = pytest.mark.services

PREPARE, OCR = queue_name(Step.PREPARE, Lane.BULK), queue_name(Step.OCR, Lane.BULK)
#: Small, so that it is full soon. A quorum queue takes one more than its limit.
LIMIT = 2


@pytest.fixture
def declared(rabbit: str) -> str:
    """A broker with our queues, which hold next to nothing."""
    with Connection(rabbit) as connection:
        declare(connection, LIMIT)
    return rabbit


@pytest.fixture
def make_fleet(rabbit: str, postgres: str, tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    made: list[Fleet] = []

    def make(**extra: str) -> Fleet:
        settings = local_environment(rabbit, postgres, tmp_path) | extra
        made.append(Fleet(settings, tmp_path))
        install(settings_of(settings))
        return made[-1]

    yield make
    for fleet in made:
        fleet.close()


def drop(url: str, queue: str) -> None:
    with Connection(url) as connection, connection.channel() as channel:
        channel.queue_delete(queue)


def jobs_of(fleet: Fleet) -> list[JobView]:
    engine = open_engine(fleet.settings["PACKSHOT_DATABASE_URL"])
    try:
        return Views(engine).jobs("tests")
    finally:
        engine.dispose()


def done(view: JobView) -> list[str]:
    return [step.name for step in view.steps if step.status == "done"]


def test_declaring_twice_changes_nothing(broker: Broker, declared: str) -> None:
    with confirming(declared) as connection, connection.channel() as channel:
        names = declare(connection, LIMIT)
        channel.basic_publish(Message(b"kept"), "packshot", SUBMIT_KEY)
        assert declare(connection, LIMIT) == names
    assert len(names) == len(set(names)) == 5 + 2 * len(Step)
    assert depth(declared, INTAKE_QUEUE) == 1
    vhost = urlsplit(declared).path.lstrip("/")
    queues = {one["name"]: one for one in json.loads(broker.call("GET", f"/api/queues/{vhost}"))}
    assert set(queues) == set(names)
    assert all(one["durable"] and one["type"] == "quorum" for one in queues.values())
    resting = {DEAD_QUEUE, REJECTED_QUEUE, REVIEW_QUEUE}
    for name in set(names) - resting:
        arguments = queues[name]["arguments"]
        assert arguments["x-overflow"] == "reject-publish"
        assert arguments["x-dead-letter-strategy"] == "at-least-once"
        assert arguments["x-dead-letter-exchange"] == "packshot.dlx"
        assert arguments["x-delivery-limit"] > 0
        assert arguments["x-max-length"] == LIMIT
    for name in resting:
        assert "x-max-length" not in queues[name]["arguments"]


def test_another_queue_limit_is_told_in_a_sentence(declared: str) -> None:
    with (
        Connection(declared) as connection,
        pytest.raises(ConfigurationError, match="PACKSHOT_QUEUE_LIMIT"),
    ):
        declare(connection, LIMIT + 1)


def test_no_routing_key_is_a_dotted_suffix_of_another() -> None:
    queues = every_queue(1)
    keys = {queue.routing_key for queue in queues} | {SUBMIT_KEY}
    assert len(keys) == len(queues)
    for key in keys:
        assert [other for other in keys if other.endswith("." + key)] == []


def test_what_fails_lands_in_the_dead_letters_with_its_origin(declared: str) -> None:
    with Connection(declared) as connection, connection.channel() as channel:
        channel.basic_publish(Message(b"x"), "packshot", PREPARE)
        wait_until(lambda: depth(declared, PREPARE) == 1, 10, "not there")
        channel.basic_reject(channel.basic_get(PREPARE).delivery_tag, requeue=False)
        wait_until(lambda: depth(declared, DEAD_QUEUE) == 1, 10, "not dead")
        (death,) = channel.basic_get(DEAD_QUEUE).headers["x-death"]
        assert (death["queue"], death["reason"]) == (PREPARE, "rejected")


def test_a_client_without_a_queue_is_told_at_once_and_goes_on_afterwards(declared: str) -> None:
    drop(declared, INTAKE_QUEUE)
    with Client(declared, deadline=20) as client:
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="packshot broker setup"):
                client.submit(small_job("lost"))
        with Connection(declared) as connection:
            declare(connection, LIMIT)
        client.submit(small_job("kept"))
    assert depth(declared, INTAKE_QUEUE) == 1


def test_a_client_without_an_exchange_is_told_at_once(rabbit: str) -> None:
    with (
        Client(rabbit) as client,
        pytest.raises(ConfigurationError, match="packshot broker setup"),
    ):
        client.submit(small_job("lost"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("guest:guest@", "guest:wrong@", id="password"),
        pytest.param("/packshot-test", "/nowhere-test", id="virtual host"),
    ],
)
def test_a_client_that_is_not_let_in_is_told_why(declared: str, old: str, new: str) -> None:
    url = declared.replace(old, new)
    assert url != declared
    with Client(url) as client, pytest.raises(ConfigurationError, match="virtual host in its URL"):
        client.submit(small_job("lost"))


def test_a_full_queue_is_told_after_the_clients_own_deadline(declared: str) -> None:
    with Client(declared, deadline=1.0) as client:
        started = time.monotonic()
        with pytest.raises(BrokerUnavailable, match=r"within 1 s \(it refused .* full"):
            for number in range(LIMIT + 3):
                started = time.monotonic()
                client.submit(small_job(str(number)))
        assert 0.5 < time.monotonic() - started < 3
        in_queue = depth(declared, INTAKE_QUEUE)
        assert LIMIT <= in_queue <= number  # every job that was not refused is there
        with Connection(declared) as connection, connection.channel() as channel:
            channel.queue_purge(INTAKE_QUEUE)
        client.submit(small_job("later"))
    assert depth(declared, INTAKE_QUEUE) == 1


@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.BLACKHOLE])
def test_a_broker_that_is_away_is_told_after_the_deadline(
    declared: str, broker: Broker, cut: Callable[[int], CutProxy], mode: Mode
) -> None:
    line = cut(broker.amqp_port)
    url = broker.url(urlsplit(declared).path.lstrip("/"), line.port)
    with Client(url, deadline=1.0) as client:
        client.submit(small_job("before"))
        line.mode = mode
        if mode is Mode.REFUSE:
            line.reset()
        started = time.monotonic()
        with pytest.raises(BrokerUnavailable, match="within 1 s"):
            client.submit(small_job("lost"))
        assert time.monotonic() - started < 4
        line.heal()
        client.submit(small_job("after"))


@pytest.fixture
def app(declared: str) -> Celery:
    return create_app(
        Settings().model_copy(update={"broker_url": SecretStr(declared), "queue_limit": LIMIT})
    )


def test_a_first_hop_that_is_refused_is_an_error_at_the_sender(app: Celery) -> None:
    for number in range(LIMIT + 1):
        workflow.start(app, uuid7(), small_job(str(number)))
    started = time.monotonic()
    for _ in range(2):
        with pytest.raises(BrokerUnavailable, match="full"):
            workflow.start(app, uuid7(), small_job("refused"))
    assert time.monotonic() - started < 2


def test_a_first_hop_that_no_queue_takes_is_an_error_at_the_sender(
    app: Celery, declared: str
) -> None:
    # Celery declares the queue of a hop that it publishes for the first time.
    workflow.start(app, uuid7(), small_job("before"))
    drop(declared, PREPARE)
    with pytest.raises(ConfigurationError, match="packshot broker setup"):
        workflow.start(app, uuid7(), small_job("unroutable"))
    # That publish made Celery forget what it had declared: the next one makes the queue anew.
    workflow.start(app, uuid7(), small_job("after"))
    assert depth(declared, PREPARE) == 1


def test_a_hop_that_no_queue_takes_goes_back_until_there_is_one(
    make_fleet: Callable[..., Fleet], rabbit: str
) -> None:
    fleet = make_fleet()
    fleet.start("io", "--fake-models", "0")
    with Client(rabbit) as client:
        client.submit(small_job("before"))
        # Celery declares the queue of a hop that it publishes for the first time.
        wait_until(lambda: depth(rabbit, OCR) == 1, 30, "the first job is not at ocr")
        drop(rabbit, OCR)
        client.submit(small_job("after"))

    def handed_on() -> bool:
        # The refused publish made Celery forget the queue; the next one makes it anew.
        with suppress(NotFound):
            return depth(rabbit, OCR) == 1
        return False

    wait_until(handed_on, 30, "the hop vanished")
    view = next(one for one in jobs_of(fleet) if one.job_id == "after")
    assert (view.status, done(view)) == ("running", ["prepare"])
    assert depth(rabbit, DEAD_QUEUE) == 0


def test_hops_into_a_full_queue_wait_for_room(
    make_fleet: Callable[..., Fleet], rabbit: str, listen: Callable[[], Listener]
) -> None:
    """Jobs of one step, so that the only queue that fills is the one that nobody reads."""
    fleet = make_fleet(PACKSHOT_QUEUE_LIMIT=str(LIMIT))
    listener = listen()
    fleet.start("io", "-c", "2", "--fake-models", "0")
    names = {str(number) for number in range(8)}
    with Client(rabbit, deadline=30) as client:
        for name in sorted(names):
            client.submit(small_job(name, steps=("ocr",), outputs=()))

    def all_prepared() -> bool:
        return [done(view) for view in jobs_of(fleet)] == [["prepare"]] * len(names)

    wait_until(all_prepared, 60, "hops that wait should hold no thread back")
    # One above the limit, as the broker counts, and one by each thread that was not told yet.
    assert LIMIT < depth(rabbit, OCR) <= LIMIT + 3
    assert depth(rabbit, DEAD_QUEUE) == 0
    fleet.start("ocr", "--fake-models", "0")
    events: list[dict[str, Any]] = listener.wait(len(names), 60)
    assert {event["subject"] for event in events} == {f"tests/{name}" for name in names}
    assert depth(rabbit, DEAD_QUEUE) == 0
