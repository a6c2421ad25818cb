"""The test run's own servers really answer, and tests do not see each other's data."""

import socket
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
import redis
from botocore.exceptions import ClientError
from kombu import Connection, Exchange, Queue
from sqlalchemy import create_engine, text

from models.registry import Registry
from tests.support.cutproxy import CutProxy, Mode
from tests.support.fixtures import MISSING, need
from tests.support.postgres_server import PrivatePostgres
from tests.support.rabbit_node import RabbitNode, confirming
from tests.support.s3_server import Bucket

pytestmark = pytest.mark.services


@pytest.mark.parametrize("turn", ["first", "second"])
def test_rabbit_is_empty_for_every_test(rabbit: str, turn: str) -> None:
    queue = Queue(
        "packshot.intake",
        Exchange("packshot", "direct"),
        routing_key="job.submit",
        queue_arguments={"x-queue-type": "quorum"},
    )
    with confirming(rabbit) as connection:
        channel = connection.default_channel
        bound = queue(channel)
        bound.declare()
        assert bound.queue_declare(passive=True).message_count == 0
        with connection.Producer() as producer:
            producer.publish({"turn": turn}, exchange="packshot", routing_key="job.submit")
        message = bound.get()
        assert message.payload == {"turn": turn}
        message.ack()
        with connection.Producer() as producer:
            producer.publish({"left": "behind"}, exchange="packshot", routing_key="job.submit")


def test_private_rabbit_keeps_its_queues_through_a_kill(private_rabbit: RabbitNode) -> None:
    vhost = private_rabbit.broker.create_vhost()
    url = private_rabbit.broker.url(vhost)
    with confirming(url) as connection:
        durable = Queue("kept", queue_arguments={"x-queue-type": "quorum"})
        durable(connection.default_channel).declare()
        with connection.Producer() as producer:
            producer.publish("hello", routing_key="kept", delivery_mode=2)

    private_rabbit.settle()
    private_rabbit.kill()
    private_rabbit.start()

    with Connection(url) as connection:
        message = Queue("kept")(connection.default_channel).get()
        assert message is not None
        assert message.payload == "hello"


@pytest.mark.parametrize("turn", ["first", "second"])
def test_postgres_is_empty_for_every_test(postgres: str, turn: str) -> None:
    engine = create_engine(postgres)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE seen (turn text)"))
        connection.execute(text("INSERT INTO seen VALUES (:turn)"), {"turn": turn})
        assert connection.execute(text("SELECT turn FROM seen")).scalars().all() == [turn]
    engine.dispose()


def test_private_postgres_keeps_what_was_written_through_a_kill(
    private_postgres: PrivatePostgres,
) -> None:
    name = private_postgres.create()
    url = private_postgres.url(name).replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")

    private_postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=5)
    private_postgres.start()

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]


@pytest.mark.parametrize("turn", ["first", "second"])
def test_redis_is_empty_for_every_test(redis_url: str, turn: str) -> None:
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        assert client.dbsize() == 0
        client.set("turn", turn)
        assert client.get("turn") == turn


@pytest.mark.parametrize("turn", ["first", "second"])
def test_s3_is_empty_for_every_test(s3: Bucket, turn: str) -> None:
    client = s3.client()
    assert client.list_objects_v2(Bucket=s3.name)["KeyCount"] == 0
    client.put_object(Bucket=s3.name, Key="turn", Body=turn.encode())
    assert client.get_object(Bucket=s3.name, Key="turn")["Body"].read() == turn.encode()


def test_s3_refuses_a_second_conditional_write(s3: Bucket) -> None:
    client = s3.client()
    client.put_object(Bucket=s3.name, Key="once", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client.put_object(Bucket=s3.name, Key="once", Body=b"2", IfNoneMatch="*")


@pytest.mark.parametrize(
    ("ci", "outcome"),
    [("", pytest.skip.Exception), ("true", pytest.fail.Exception)],
    ids=["laptop skips", "CI fails"],
)
def test_a_missing_service_is_never_silent(
    ci: str,
    outcome: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
    pytestconfig: pytest.Config,
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="no Teapot: install one"):
        need(pytestconfig, "Teapot", "install one")
    assert pytestconfig.stash[MISSING].pop("Teapot") == "install one"


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends everything back."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=repeat, args=(connection,), daemon=True).start()

    def repeat(connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def _dial(proxy: CutProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), 5)


def test_cut_forwards(cut: Callable[[int], CutProxy], echo: int) -> None:
    proxy = cut(echo)
    with _dial(proxy) as line:
        line.sendall(b"hello")
        assert line.recv(100) == b"hello"
    assert proxy.connections == 1


def test_cut_resets_open_connections_and_takes_new_ones(
    cut: Callable[[int], CutProxy], echo: int
) -> None:
    proxy = cut(echo)
    with _dial(proxy) as line:
        line.sendall(b"hello")
        assert line.recv(100) == b"hello"
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            line.recv(100)
    with _dial(proxy) as line:
        line.sendall(b"again")
        assert line.recv(100) == b"again"


def test_cut_refuses_new_connections_until_healed(
    cut: Callable[[int], CutProxy], echo: int
) -> None:
    proxy = cut(echo)
    proxy.cut()
    with _dial(proxy) as line, pytest.raises(ConnectionError):
        line.sendall(b"hello")
        if line.recv(100) == b"":
            raise ConnectionError
    proxy.heal()
    with _dial(proxy) as line:
        line.sendall(b"hello")
        assert line.recv(100) == b"hello"


def test_cut_holds_everything_in_a_black_hole_until_healed(
    cut: Callable[[int], CutProxy], echo: int
) -> None:
    proxy = cut(echo)
    with _dial(proxy) as line:
        line.sendall(b"hello")
        assert line.recv(100) == b"hello"
        proxy.mode = Mode.BLACKHOLE
        line.sendall(b"lost?")
        line.settimeout(0.2)
        with pytest.raises(TimeoutError):
            line.recv(100)
        line.settimeout(5)
        proxy.heal()
        assert line.recv(100) == b"lost?"


def test_cut_truncates_the_answer(cut: Callable[[int], CutProxy], echo: int) -> None:
    proxy = cut(echo)
    proxy.truncate_after = 3
    with _dial(proxy) as line:
        line.sendall(b"hello")
        assert line.recv(100) == b"hel"
        assert line.recv(100) == b""


@pytest.mark.models
def test_the_default_weights_are_there(weights: Registry) -> None:
    defaults = [name for name in weights.names() if weights.entry(name).default]
    assert defaults
    assert all(weights.path(name).is_file() for name in defaults)
