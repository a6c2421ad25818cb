"""Fixtures for the real servers: started when a test first asks, stopped with the run.

A service that this machine cannot offer is a loud skip on a laptop and a failure where CI is set.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

import pytest

from tests.support.cutproxy import CutProxy
from tests.support.postgres_server import PostgresServer, PrivatePostgres, running_postgres
from tests.support.rabbit_node import Broker, RabbitNode, running_broker
from tests.support.redis_server import RedisServer, flush, running_redis
from tests.support.s3_server import Bucket, S3Server
from tests.support.server import Guard, NotAvailable

if TYPE_CHECKING:
    from models.registry import Registry
    from tests.support.fleet import Listener

#: Another run may take a free port between our look and the server's start.
_ATTEMPTS = 2


class _Server(Protocol):
    def start(self) -> None: ...

    def remove(self) -> None: ...


Startable = TypeVar("Startable", bound=_Server)

#: Services that were asked for in vain, with the reason.
MISSING = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the list of services that were asked for in vain."""
    config.stash[MISSING] = {}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes tells the first what it has asked for in vain."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["missing"] = session.config.stash[MISSING]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """The first process hears it. A process that died has nothing to tell."""
    node.config.stash[MISSING].update(getattr(node, "workeroutput", {}).get("missing", {}))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say at the end what was not tested, in a colour that nobody overlooks."""
    for service, reason in config.stash[MISSING].items():
        terminalreporter.write_line(f"NOT TESTED WITHOUT {service}: {reason}", red=True, bold=True)


def need(config: pytest.Config, service: str, reason: object) -> NoReturn:
    """Skip, or fail where CI is set, because a service is missing."""
    config.stash[MISSING][service] = str(reason)
    sentence = f"no {service}: {reason}"
    if os.environ.get("CI"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own PACKSHOT_* settings never decide a test."""
    for name in list(os.environ):
        if name.startswith("PACKSHOT_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def guard() -> Iterator[Guard]:
    """Ends our servers even when the run is killed."""
    guard = Guard()
    yield guard
    guard.close()


@pytest.fixture(scope="session")
def broker(pytestconfig: pytest.Config, guard: Guard) -> Iterator[Broker]:
    """A broker for the whole run, whose virtual hosts come and go with the tests."""
    running = running_broker()
    if running is not None:
        yield running
        return
    node = _started(pytestconfig, "RabbitMQ", lambda: RabbitNode(guard))
    yield node.broker
    node.remove()


@pytest.fixture
def rabbit(broker: Broker) -> Iterator[str]:
    """The AMQP URL of an empty virtual host that belongs to this test alone."""
    vhost = broker.create_vhost()
    yield broker.url(vhost)
    broker.delete_vhost(vhost)


@pytest.fixture
def listen(rabbit: str) -> "Iterator[Callable[[], Listener]]":
    """`listen()` consumes this test's events from now on, as an upstream service would."""
    from tests.support.fleet import Listener

    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Listener(rabbit)))


@pytest.fixture
def private_rabbit(pytestconfig: pytest.Config, guard: Guard) -> Iterator[RabbitNode]:
    """A broker that this test may kill, pause and start again (about 6 s)."""
    node = _started(pytestconfig, "RabbitMQ", lambda: RabbitNode(guard))
    yield node
    node.remove()


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config, guard: Guard) -> Iterator[PostgresServer]:
    """A Postgres server for the whole run."""
    running = running_postgres()
    if running is not None:
        yield running
        return
    server = _started(pytestconfig, "Postgres", lambda: PrivatePostgres(guard))
    yield server
    server.remove()


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database that belongs to this test alone."""
    name = postgres_server.create()
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture(scope="session")
def _migrated(postgres_server: PostgresServer) -> Iterator[str]:
    name = postgres_server.create()
    _migrate(postgres_server.url(name))
    yield name
    postgres_server.drop(name)


@pytest.fixture
def postgres_ledger(postgres_server: PostgresServer, _migrated: str) -> Iterator[str]:
    """The URL of an empty ledger: always the same, as a new database takes half a second."""
    url = postgres_server.url(_migrated)
    yield url
    _empty(url)


@pytest.fixture(scope="session")
def _migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "ledger.sqlite"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_ledger(_migrated_file: Path, tmp_path: Path) -> str:
    """The URL of a file with an empty ledger, `ledger.sqlite` in the test's folder."""
    path = tmp_path / "ledger.sqlite"
    shutil.copyfile(_migrated_file, path)
    return f"sqlite:///{path}"


def _migrate(url: str) -> None:
    from packshot.store.engine import open_engine
    from workers.database import upgrade

    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()


def _empty(url: str) -> None:
    from sqlalchemy import text

    from packshot.store.engine import open_engine
    from packshot.store.tables import Base

    engine = open_engine(url)
    with engine.begin() as db:
        # The audit log's trigger refuses what is needed here, and only here.
        db.execute(text("SET LOCAL session_replication_role = replica"))
        for table in reversed(Base.metadata.sorted_tables):
            db.execute(table.delete())
    engine.dispose()


@pytest.fixture
def private_postgres(pytestconfig: pytest.Config, guard: Guard) -> Iterator[PrivatePostgres]:
    """A Postgres server that this test may kill and start again (about 1 s)."""
    server = _started(pytestconfig, "Postgres", lambda: PrivatePostgres(guard))
    yield server
    server.remove()


@pytest.fixture(scope="session")
def _redis(pytestconfig: pytest.Config, guard: Guard) -> Iterator[str]:
    running = None if RedisServer.is_installed() else running_redis()
    if running is not None:
        yield running
        return
    server = _started(pytestconfig, "Redis", lambda: RedisServer(guard))
    yield server.url
    server.remove()


@pytest.fixture
def redis_url(_redis: str) -> Iterator[str]:
    """The URL of an empty Redis database."""
    flush(_redis)
    yield _redis
    flush(_redis)


@pytest.fixture
def private_redis(pytestconfig: pytest.Config, guard: Guard) -> Iterator[RedisServer]:
    """A Redis server that this test may kill and start again."""
    server = _started(pytestconfig, "Redis", lambda: RedisServer(guard))
    yield server
    server.remove()


@pytest.fixture(scope="session")
def s3_server(pytestconfig: pytest.Config, guard: Guard) -> Iterator[S3Server]:
    """An S3 server for the whole run."""
    server = _started(pytestconfig, "S3", lambda: S3Server(guard))
    yield server
    server.remove()


@pytest.fixture
def s3(s3_server: S3Server) -> Iterator[Bucket]:
    """An empty bucket that belongs to this test alone."""
    bucket = s3_server.create_bucket()
    yield bucket
    s3_server.delete_bucket(bucket)


@pytest.fixture
def private_s3(pytestconfig: pytest.Config, guard: Guard) -> Iterator[S3Server]:
    """An S3 server that this test may kill and start again (about 4 s)."""
    server = _started(pytestconfig, "S3", lambda: S3Server(guard))
    yield server
    server.remove()


@pytest.fixture
def cut() -> Iterator[Callable[[int], CutProxy]]:
    """`cut(port)` puts a proxy in front of a loopback port that can break the line."""
    proxies: list[CutProxy] = []

    def make(port: int) -> CutProxy:
        proxies.append(CutProxy(port))
        return proxies[-1]

    yield make
    for proxy in proxies:
        proxy.close()


@pytest.fixture(scope="session")
def weights(pytestconfig: pytest.Config) -> "Registry":
    """The real weights in the default cache; pulled when they are not there yet."""
    from models.registry import Registry
    from models.weights.pull import pull
    from packshot.errors import ModelMissing, PackshotError

    registry = Registry()
    missing = []
    for name in registry.names():
        if registry.entry(name).default:
            try:
                registry.path(name)
            except ModelMissing:
                missing.append(name)
    try:
        pull(registry, missing)
    except PackshotError as error:
        need(pytestconfig, "weights", error)
    return registry


def _started(config: pytest.Config, service: str, make: Callable[[], Startable]) -> Startable:
    """Make and start a server, or skip (fail where CI is set)."""
    problem: NotAvailable | None = None
    for _ in range(_ATTEMPTS):
        try:
            server = make()
        except NotAvailable as error:
            need(config, service, error)
        try:
            server.start()
        except NotAvailable as error:
            server.remove()
            problem = error
        else:
            return server
    need(config, service, problem)
