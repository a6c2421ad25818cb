"""The users of the broker: each can do its work, and nothing else."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from amqp.exceptions import AccessRefused
from kombu import Connection, Producer

from packshot.client import Client
from packshot.contract import (
    DEAD_QUEUE,
    INTAKE_QUEUE,
    LIVE_INTAKE_QUEUE,
    LIVE_SUBMIT_KEY,
    SUBMIT_KEY,
    Lane,
    Step,
    queue_name,
)
from packshot.errors import ConfigurationError
from packshot.settings import Settings
from packshot.store.engine import open_engine
from packshot.store.views import Views
from tasks.topology import declare, declare_delays, ensure
from tests.support.fixtures import need
from tests.support.fleet import Fleet, wait_until
from tests.support.installation import local_environment, small_job
from tests.support.rabbit_node import RabbitNode, confirming
from tests.support.server import Guard, NotAvailable
from workers.access import definitions, users
from workers.database import upgrade
from workers.grants import Administrator

pytestmark = pytest.mark.services

ROOT = Path(__file__).resolve().parents[2]
VHOST = "packshot"
PASSWORDS = {user.name: f"secret-{number}" for number, user in enumerate(users())}
OCR = queue_name(Step.OCR, Lane.LIVE)
LATER = "celery_delayed_27"
MATTING = queue_name(Step.MATTING, Lane.BULK)


@pytest.fixture(scope="module")
def node(pytestconfig: pytest.Config, guard: Guard) -> Iterator[RabbitNode]:
    """A broker of our own: users belong to the whole broker, not to a virtual host."""
    try:
        made = RabbitNode(guard)
        made.start()
    except NotAvailable as error:
        need(pytestconfig, "RabbitMQ", error)
    admin = Administrator(f"http://guest:guest@127.0.0.1:{made.broker.http_port}")
    for _ in range(2):  # a repeated grant changes nothing
        assert admin.grant(definitions(VHOST), PASSWORDS) == list(PASSWORDS)
    with Connection(url_of(made, "packshot-operator")) as connection:
        declare(connection, 100)
        declare_delays(connection, 100)
    yield made
    made.remove()


def url_of(node: RabbitNode, user: str) -> str:
    return f"amqp://{user}:{PASSWORDS[user]}@127.0.0.1:{node.broker.amqp_port}/{VHOST}"


Act = Callable[[Any], Any]


def publish(exchange: str, key: str) -> Act:
    def act(channel: Any) -> None:
        Producer(channel, auto_declare=False).publish(
            "{}", exchange=exchange, routing_key=key, confirm_timeout=5
        )

    return act


def get(queue: str) -> Act:
    return lambda channel: channel.basic_get(queue)


def delete(queue: str) -> Act:
    return lambda channel: channel.queue_delete(queue, if_unused=True)


def purge(queue: str) -> Act:
    return lambda channel: channel.queue_purge(queue)


def make(queue: str) -> Act:
    return lambda channel: channel.queue_declare(queue, durable=True, auto_delete=False)


def bind(queue: str, exchange: str) -> Act:
    return lambda channel: channel.queue_bind(queue, exchange, "#")


def look(queue: str) -> Act:
    return lambda channel: channel.queue_declare(queue, passive=True)


@pytest.mark.parametrize(
    ("user", "act"),
    [
        pytest.param("producer", get(INTAKE_QUEUE), id="producer reads the intake"),
        pytest.param("producer", publish("packshot", OCR), id="producer publishes a step"),
        pytest.param("producer", publish("packshot.events", "job.accepted"), id="producer: event"),
        pytest.param("producer", publish("", INTAKE_QUEUE), id="producer: default exchange"),
        pytest.param("producer", make("producer.own"), id="producer makes a queue"),
        pytest.param("producer", delete(INTAKE_QUEUE), id="producer deletes the intake"),
        pytest.param("subscriber", bind("subscriber.x", "packshot"), id="subscriber taps jobs"),
        pytest.param("subscriber", get(DEAD_QUEUE), id="subscriber reads dead letters"),
        pytest.param("ocr", get(MATTING), id="ocr reads matting"),
        pytest.param("ocr", get(INTAKE_QUEUE), id="ocr reads the intake"),
        pytest.param("ocr", delete(OCR), id="ocr deletes its queue"),
        pytest.param("ocr", purge(MATTING), id="ocr empties another queue"),
        pytest.param("ocr", make("packshot.more"), id="ocr makes a queue"),
        pytest.param("ocr", publish("packshot", SUBMIT_KEY), id="ocr submits a job"),
        pytest.param("ocr", delete("celery_delayed_3"), id="ocr deletes delayed steps"),
        pytest.param("ocr", publish(LATER, "1.job.submit"), id="ocr submits a job for later"),
        pytest.param("ocr", bind("celeryev.x", "packshot"), id="ocr taps the exchange"),
        pytest.param("io", delete(INTAKE_QUEUE), id="io deletes the intake"),
        pytest.param("io", get(OCR), id="io reads ocr"),
        pytest.param("gpu", delete(DEAD_QUEUE), id="gpu deletes the dead letters"),
        pytest.param("all", delete(OCR), id="all deletes a queue"),
        pytest.param("console", get(OCR), id="console reads a queue"),
        pytest.param("console", publish("packshot", SUBMIT_KEY), id="console submits a job"),
        pytest.param("flower", get(OCR), id="flower reads a queue"),
        pytest.param("flower", publish("packshot", OCR), id="flower publishes a step"),
        pytest.param("exporter", get(OCR), id="exporter reads a queue"),
        pytest.param("exporter", publish("packshot", OCR), id="exporter publishes"),
        pytest.param("operator", make("other.queue"), id="operator leaves our names"),
    ],
)
def test_refuses(node: RabbitNode, user: str, act: Act) -> None:
    with confirming(url_of(node, f"packshot-{user}")) as connection:
        if user == "subscriber":
            make("subscriber.x")(connection.channel())
        if user == "ocr":
            make("celeryev.x")(connection.channel())
        with pytest.raises(AccessRefused):
            act(connection.channel())


@pytest.mark.parametrize(
    ("user", "act"),
    [
        pytest.param("producer", publish("packshot", SUBMIT_KEY), id="producer submits"),
        pytest.param("producer", publish("packshot", LIVE_SUBMIT_KEY), id="producer submits live"),
        pytest.param("io", get(LIVE_INTAKE_QUEUE), id="io reads the live intake"),
        pytest.param("console", publish("packshot", OCR), id="console restarts a job"),
        pytest.param("ocr", publish(LATER, f"0.0.1.{OCR}"), id="ocr hands a step back for later"),
        pytest.param("exporter", look(OCR), id="exporter counts"),
        pytest.param("operator", purge(OCR), id="operator empties a queue"),
    ],
)
def test_allows(node: RabbitNode, user: str, act: Act) -> None:
    with confirming(url_of(node, f"packshot-{user}")) as connection:
        act(connection.channel())
    with Connection(url_of(node, "packshot-operator")) as connection:
        purge(OCR)(connection.channel())
        purge(INTAKE_QUEUE)(connection.channel())


def test_subscriber_hears_events(node: RabbitNode) -> None:
    with Connection(url_of(node, "packshot-subscriber")) as connection:
        channel = connection.channel()
        make("subscriber.events")(channel)
        channel.queue_bind("subscriber.events", "packshot.events", "job.#")
        with confirming(url_of(node, "packshot-io")) as worker:
            publish("packshot.events", "job.accepted")(worker.channel())
        wait_until(lambda: channel.basic_get("subscriber.events") is not None, 5, "no event")


def test_jobs_run_through_workers_with_a_user_each(
    node: RabbitNode, postgres: str, tmp_path: Path
) -> None:
    engine = open_engine(postgres)
    upgrade(engine)
    engine.dispose()
    common = local_environment("", postgres, tmp_path) | {
        "PACKSHOT_DECLARE_QUEUES": "false",
        "PACKSHOT_QUEUE_LIMIT": "100",
    }
    fleet = Fleet(common, tmp_path)
    try:
        for role in ("io", "ocr", "recognition", "matting"):
            fleet.settings = common | {"PACKSHOT_BROKER_URL": url_of(node, f"packshot-{role}")}
            fleet.start(role, "--fake-models", "0")
        with Client(url_of(node, "packshot-producer")) as client:
            client.submit(small_job("least", lane="live"))
        engine = open_engine(postgres)
        views = Views(engine)
        wait_until(lambda: bool({"accepted", "review"} & views.counts().keys()), 30, "no result")
        engine.dispose()
    finally:
        codes = fleet.close()
    assert codes == [0, 0, 0, 0]
    logs = "".join(fleet.log(number).read_text() for number in range(4))
    assert "ACCESS_REFUSED" not in logs
    assert "Failed to" not in logs


def test_worker_says_that_the_queues_are_missing(node: RabbitNode, postgres: str) -> None:
    name = node.broker.create_vhost()
    settings = Settings(
        broker_url=node.broker.url(name),
        declare_queues=False,
    )
    with (
        Connection(settings.broker_url.get_secret_value()) as connection,
        pytest.raises(ConfigurationError, match="packshot broker setup"),
    ):
        ensure(connection, settings.queue_limit, make=settings.declare_queues)


def test_command_grants_only_what_has_a_password(node: RabbitNode, tmp_path: Path) -> None:
    folder = tmp_path / "passwords"
    folder.mkdir()
    (folder / "packshot-producer").write_text("another\n")
    admin = f"http://guest:guest@127.0.0.1:{node.broker.http_port}"
    fleet = Fleet({**os.environ, "PACKSHOT_BROKER_ADMIN": admin}, tmp_path)
    told = fleet.packshot("broker", "grant", "--vhost", "second", "--passwords", str(folder))
    assert told.split() == ["packshot-producer"]
    rows = json.loads(node.broker.call("GET", "/api/vhosts/second/permissions"))
    assert {row["user"] for row in rows} >= {"packshot-producer"}
    assert "packshot-io" not in {row["user"] for row in rows}
    PASSWORDS["packshot-producer"] = "another"


def test_definitions_file_is_that_of_the_code() -> None:
    shipped = json.loads((ROOT / "deploy" / "rabbitmq" / "definitions.json").read_text())
    assert shipped == definitions("packshot"), "packshot broker definitions > deploy/rabbitmq/..."
