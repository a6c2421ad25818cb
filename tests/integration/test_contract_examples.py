"""The examples of docs/contract.md, run as they stand against a real broker, with least rights."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from kombu import Connection

from packshot import contract
from packshot.client import Client
from packshot.contract import Image, Job
from packshot.errors import BrokerUnavailable, ConfigurationError
from tasks.topology import declare
from tests.support.cutproxy import CutProxy
from tests.support.rabbit_node import Broker, confirming

pytestmark = pytest.mark.services

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
GOLDEN = ROOT / "tests" / "contract" / "golden"
JOB = Job(version=1, source="tests", job_id="1", image=Image(uri="s3://in/1.jpg"))


def example(heading: str, language: str) -> str:
    """The first block of code in this language below this heading."""
    _, _, section = PAGE.partition(f"\n## {heading}\n")
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def declared(rabbit: str) -> str:
    """A broker with our exchanges and queues."""
    with Connection(rabbit) as connection:
        declare(connection, 100)
    return rabbit


@pytest.fixture
def account(declared: str, broker: Broker) -> Any:
    """Makes broker accounts with the rights that the page tells; returns their URLs."""
    names: list[str] = []

    def make(kind: str) -> str:
        rights = re.search(rf"set_permissions -p VHOST {kind} '(.*)' '(.*)' '(.*)'", PAGE)
        assert rights
        configure, write, read = rights.groups()
        parts = urlsplit(declared)
        name = f"packshot-test-{kind.lower()}-{os.getpid()}"
        broker.call("PUT", f"/api/users/{name}", json.dumps({"password": "s3cret", "tags": ""}))
        names.append(name)
        broker.call(
            "PUT",
            f"/api/permissions{parts.path}/{name}",
            json.dumps({"configure": configure, "write": write, "read": read}),
        )
        return f"amqp://{name}:s3cret@{parts.hostname}:{parts.port}{parts.path}"

    yield make
    for name in names:
        broker.call("DELETE", f"/api/users/{name}")


def taken(url: str, queue: str = contract.INTAKE_QUEUE) -> Any:
    """The one message in a queue."""
    with Connection(url) as connection:
        channel = connection.channel()
        message = channel.basic_get(queue, no_ack=True)
        assert message is not None
        assert channel.basic_get(queue, no_ack=True) is None
        return message


def publish_event(url: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((GOLDEN / "event-accepted.json").read_text("utf-8"))
    with confirming(url) as connection:
        connection.Producer().publish(
            json.dumps(event).encode(),
            exchange=contract.EVENTS_EXCHANGE,
            routing_key=event["type"],
            content_type="application/cloudevents+json",
            content_encoding="utf-8",
        )
    return event


def run(*command: str, folder: Path, url: str, stdin: bytes = b"") -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "BROKER_URL": url},
        input=stdin,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.fixture
def node(tmp_path: Path) -> str:
    """Node, with amqplib in reach of a script in `tmp_path`."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("no node")
    where = subprocess.run(
        (program, "-p", "require.resolve('amqplib')"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if where.returncode:
        pytest.skip("no amqplib: npm install amqplib, and name its node_modules in NODE_PATH")
    (tmp_path / "node_modules").symlink_to(Path(where.stdout.strip()).parents[1])
    return program


def test_python_publishes(account: Callable[[str], str], declared: str, tmp_path: Path) -> None:
    code = example("Publishing", "python")
    url = "amqp://listing:SECRET@rabbitmq/VHOST"
    assert url in code
    run(sys.executable, "-c", code.replace(url, account("PRODUCER")), folder=tmp_path, url="")
    message = taken(declared)
    assert Job.parse(message.body).source == "listing-service"
    assert message.properties["delivery_mode"] == 2
    assert message.properties["content_type"] == "application/json"


def test_node_publishes(
    node: str, account: Callable[[str], str], declared: str, tmp_path: Path
) -> None:
    body = (GOLDEN / "valid-chinese.json").read_bytes()
    (tmp_path / "job.json").write_bytes(body)
    (tmp_path / "publish.mjs").write_text(example("Publishing", "js"))
    run(node, "publish.mjs", folder=tmp_path, url=account("PRODUCER"))
    message = taken(declared)
    assert Job.parse(message.body) == Job.parse(body)
    assert message.properties["delivery_mode"] == 2


@pytest.mark.skipif(shutil.which("amqp-publish") is None, reason="no amqp-publish")
def test_the_shell_publishes(account: Callable[[str], str], declared: str, tmp_path: Path) -> None:
    body = (GOLDEN / "valid-full.json").read_bytes()
    (tmp_path / "job.json").write_bytes(body)
    run("sh", "-c", example("Publishing", "sh"), folder=tmp_path, url=account("PRODUCER"))
    message = taken(declared)
    assert Job.parse(message.body) == Job.parse(body)
    assert message.properties["delivery_mode"] == 2


def test_python_reads_events(account: Callable[[str], str], declared: str, tmp_path: Path) -> None:
    code = example("Reading events", "python")
    assert "while True:" in code
    # Bind first, then publish, then read one.
    code = code.replace("while True:", "print('bound', flush=True); input(); ").replace(
        "            connection.drain_events()", ""
    )
    code = code.rstrip() + "connection.drain_events(timeout=20)\n"
    process = subprocess.Popen(
        (sys.executable, "-c", f"BROKER_URL = {account('CONSUMER')!r}\n{code}"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "bound\n"
    event = publish_event(declared)
    out, _ = process.communicate("\n", timeout=60)
    assert process.returncode == 0
    assert out.startswith(f"{event['id']} job.accepted id=UUID('{event['data']['id']}')")


def test_node_reads_events(
    node: str, account: Callable[[str], str], declared: str, tmp_path: Path
) -> None:
    code = example("Reading events", "js") + 'console.log("bound");\n'
    (tmp_path / "listen.mjs").write_text(code)
    process = subprocess.Popen(
        (node, "listen.mjs"),
        env={**os.environ, "BROKER_URL": account("CONSUMER")},
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "bound\n"
        event = publish_event(declared)
        expected = f"{event['id']} job.accepted {event['data']['job_id']}\n"
        assert process.stdout.readline() == expected
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(shutil.which("amqp-get") is None, reason="no amqp-get")
def test_the_shell_reads_events(
    account: Callable[[str], str], declared: str, tmp_path: Path
) -> None:
    with Connection(declared) as connection:
        channel = connection.channel()
        queue = "listing-service.packshot-events"
        channel.queue_declare(
            queue, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"}
        )
        channel.queue_bind(queue, contract.EVENTS_EXCHANGE, "job.*")
    event = publish_event(declared)
    out = run("sh", "-c", example("Reading events", "sh"), folder=tmp_path, url=account("CONSUMER"))
    assert json.loads(out) == event


def test_a_producer_may_do_nothing_else(account: Callable[[str], str]) -> None:
    from amqp.exceptions import AccessRefused

    with Connection(account("PRODUCER")) as connection:
        for forbidden in (
            lambda channel: channel.basic_get(contract.INTAKE_QUEUE),
            lambda channel: channel.queue_purge(contract.INTAKE_QUEUE),
            lambda channel: channel.queue_delete(contract.INTAKE_QUEUE),
            lambda channel: channel.queue_declare("mine", durable=True),
        ):
            with pytest.raises(AccessRefused):
                forbidden(connection.channel())  # type: ignore[no-untyped-call] # amqp has no types


def test_the_client_goes_on_after_a_broken_line(
    declared: str, cut: Callable[[int], CutProxy]
) -> None:
    parts = urlsplit(declared)
    assert parts.port is not None
    proxy = cut(parts.port)
    url = declared.replace(f":{parts.port}", f":{proxy.port}")
    with Client(url, deadline=20) as client:
        client.submit(JOB)
        taken(declared)
        proxy.reset()
        client.submit(JOB)
    assert Job.parse(taken(declared).body) == JOB


def test_a_full_queue_is_told_to_the_caller(rabbit: str) -> None:
    with Connection(rabbit) as connection:
        declare(connection, 1)
    with Client(rabbit, deadline=1.0) as client:
        client.submit(JOB)
        with pytest.raises(BrokerUnavailable, match="submit it again later"):
            for _ in range(3):  # a quorum queue lets one or two more in before it refuses
                client.submit(JOB)


@pytest.mark.parametrize("exchange", ["missing", "unbound"])
def test_a_broker_without_our_queues_is_told_apart(rabbit: str, exchange: str) -> None:
    if exchange == "unbound":
        with Connection(rabbit) as connection:
            connection.channel().exchange_declare(
                contract.EXCHANGE, "topic", durable=True, auto_delete=False
            )
    with (
        Client(rabbit, deadline=3.0) as client,
        pytest.raises(ConfigurationError, match="packshot broker setup"),
    ):
        client.submit(JOB)


def test_nobody_at_home_is_told_within_the_deadline() -> None:
    with (
        Client("amqp://guest:guest@127.0.0.1:9/", deadline=0.5) as client,
        pytest.raises(BrokerUnavailable, match=r"within 0\.5 s"),
    ):
        client.submit(JOB)
