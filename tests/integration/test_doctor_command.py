"""`packshot doctor` over real servers: healthy, and with one thing after the other broken."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from amqp.exceptions import NotFound
from click.testing import CliRunner
from kombu import Connection, Exchange, Producer
from sqlalchemy import Engine

from packshot.contract import DEAD_EXCHANGE, DEAD_QUEUE, EXCHANGE, INTAKE_QUEUE, SUBMIT_KEY
from packshot.settings import Settings
from packshot.store.engine import open_engine
from tasks.topology import declare
from tests.support.cutproxy import CutProxy, Mode
from tests.support.fleet import environment, wait_until
from tests.support.rabbit_node import Broker, confirming
from tests.support.s3_server import Bucket
from workers.commands.doctor import doctor
from workers.database import upgrade
from workers.doctor import database
from workers.doctor.finding import Subject
from workers.doctor.management import Management
from workers.doctor.policies import check_policies, check_timeout
from workers.roles import ROLES

pytestmark = pytest.mark.services

Told = dict[str, list[dict[str, str]]]


@pytest.fixture
def engine(postgres: str) -> Iterator[Engine]:
    engine = open_engine(postgres)
    yield engine
    engine.dispose()


@pytest.fixture
def settings(
    rabbit: str, postgres: str, s3: Bucket, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str], None]:
    """An installation on real servers, of which single settings can be changed."""

    def change(name: str, value: str) -> None:
        monkeypatch.setenv(f"PACKSHOT_{name}", value)

    for name, value in environment(rabbit, postgres, s3).items():
        monkeypatch.setenv(name, value)
    change("REDIS_URL", redis_url)
    change("LEASE_SECONDS", "30")
    return change


@pytest.fixture
def installed(settings: Callable[[str, str], None], rabbit: str, engine: Engine) -> None:
    upgrade(engine)
    with Connection(rabbit) as connection:
        declare(connection, Settings.load().queue_limit)


@pytest.fixture
def examine(settings: Callable[[str, str], None]) -> Callable[[], Told]:
    """Run the command for a machine without models; answers the findings that are not fine."""

    def run() -> Told:
        arguments = ["--json", "--role", "io"]
        done = CliRunner().invoke(doctor, arguments, standalone_mode=False)
        assert done.exception is None, done.exception
        told = json.loads(done.stdout)
        found: Told = {}
        for one in told["findings"]:
            found.setdefault(one["level"], []).append(one)
        assert told["healthy"] == ("error" not in found)
        assert done.return_value == int("error" in found)
        return found

    return run


def only(found: list[dict[str, str]]) -> str:
    (one,) = found
    return f"{one['part']}: {one['sentence']} {one['advice']}"


def test_a_healthy_installation(installed: None, examine: Callable[[], Told], rabbit: str) -> None:
    found = examine()
    assert set(found) == {"ok"}, found
    told = " ".join(one["sentence"] for one in found["ok"])
    for sentence in (
        "answers and takes our credentials",
        "A message went through, confirmed",
        "All 15 queues are there",
        "by default 1800 s; a worker of role io may hold one for 480 s",
        "that of this release",
        "clock and this machine's differ by 0.",
        "one worker of each role (io, ocr, recognition, matting) opens up to 44",
        "can be written, read and deleted",
        "Of 3 writers that race for one name, one wins",
        "takes our writes",
    ):
        assert sentence in told
    with Connection(rabbit) as connection, connection.channel() as channel:
        declared = channel.queue_declare(INTAKE_QUEUE, passive=True)
        assert (declared.message_count, declared.consumer_count) == (0, 0)


def test_nothing_is_set_up_yet(examine: Callable[[], Told], rabbit: str, s3: Bucket) -> None:
    found = examine()
    told = [f"{one['sentence']} {one['advice']}" for one in found["error"]]
    assert any("exchange packshot," in one and "packshot broker setup" in one for one in told)
    assert any("holds no ledger yet. Run `packshot db upgrade`" in one for one in told)
    assert len(told) == 2
    # An examination makes nothing.
    with (
        Connection(rabbit) as connection,
        connection.channel() as channel,
        pytest.raises(NotFound),
    ):
        channel.queue_declare(INTAKE_QUEUE, passive=True)
    assert s3.client().list_objects_v2(Bucket=s3.name)["KeyCount"] == 0


def test_queues_with_another_limit(
    installed: None, examine: Callable[[], Told], settings: Callable[[str, str], None]
) -> None:
    settings("QUEUE_LIMIT", "7")
    found = examine()["error"]
    assert len(found) == 12  # two intakes, and a queue per step and lane
    assert {one["part"] for one in found} == {"broker"}
    assert all("x-max-length" in one["sentence"] for one in found)
    assert all("PACKSHOT_QUEUE_LIMIT" in one["advice"] for one in found)


def test_a_resting_queue_of_an_older_release(
    installed: None, examine: Callable[[], Told], rabbit: str
) -> None:
    with Connection(rabbit) as connection, connection.channel() as channel:
        channel.queue_delete(DEAD_QUEUE)
        channel.queue_declare(
            DEAD_QUEUE, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"}
        )
    told = only(examine()["error"])
    assert "packshot.dead has another x-delivery-limit" in told
    assert "Empty packshot.dead, delete it" in told


def test_what_rests_and_what_nobody_serves_is_told(
    installed: None, examine: Callable[[], Told], rabbit: str
) -> None:
    with confirming(rabbit) as connection:
        for exchange, key in ((DEAD_EXCHANGE, "dead"), (EXCHANGE, SUBMIT_KEY)):
            Producer(connection.channel(), Exchange(exchange), auto_declare=False).publish(
                b"?", routing_key=key, mandatory=True
            )
    told = [f"{one['sentence']} {one['advice']}" for one in examine()["warning"]]
    assert any("Messages in packshot.dead: 1. Look: `packshot dead list`" in one for one in told)
    assert any("no worker serves them: packshot.intake (1)" in one for one in told)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"password": "wrong-word"}, "check user, password", id="password"),
        pytest.param({"vhost": "nowhere"}, "check user, password and virtual host", id="vhost"),
        pytest.param({"port": "1"}, "check host and port", id="port"),
        pytest.param({"scheme": "nonsense"}, "write amqp://user", id="scheme"),
    ],
)
def test_a_broker_that_cannot_be_used(
    installed: None,
    examine: Callable[[], Told],
    settings: Callable[[str, str], None],
    rabbit: str,
    change: dict[str, str],
    says: str,
) -> None:
    parts = urlsplit(rabbit)
    settings(
        "BROKER_URL",
        f"{change.get('scheme', 'amqp')}://guest:{change.get('password', 'guest')}@127.0.0.1:"
        f"{change.get('port', parts.port)}/{change.get('vhost', parts.path[1:])}",
    )
    told = only(examine()["error"])
    assert told.startswith("broker: ")
    assert says in told
    assert "wrong-word" not in told


@pytest.fixture
def management(rabbit: str, broker: Broker, installed: None) -> Management:
    return Management(Connection(rabbit).info(), port=broker.http_port)


def test_bindings_and_policies_as_the_management_api_tells_them(
    management: Management, rabbit: str, broker: Broker
) -> None:
    queues, bindings = management.queues(), management.bindings()
    assert queues is not None
    assert bindings is not None
    assert len(queues) == 15
    (fine,) = check_policies(queues, bindings)
    assert fine.level == "ok"
    subject = Subject(Settings(), ROLES["io"])
    assert "by default 1800 s" in check_timeout(queues, subject).sentence

    vhost = urlsplit(rabbit).path[1:]
    definition = {"pattern": "^packshot", "definition": {"delivery-limit": 3}}
    broker.call("PUT", f"/api/policies/{vhost}/strict", json.dumps(definition))
    with Connection(rabbit) as connection, connection.channel() as channel:
        channel.queue_unbind(DEAD_QUEUE, DEAD_EXCHANGE, "dead")
    told: list[str] = []

    def arrived() -> bool:
        found = check_policies(management.queues(), management.bindings())
        told[:] = [one.sentence for one in found]
        return len(told) == 4

    wait_until(arrived, 20, "the policy is not told")
    assert "Not bound to its exchange: packshot.dead." in told[0]
    assert [one.split(" forget")[0].split()[-1] for one in told[1:]] == [
        "packshot.dead",
        "packshot.rejected",
        "packshot.review",
    ]


def test_a_ledger_of_another_release(
    installed: None, examine: Callable[[], Told], engine: Engine
) -> None:
    with engine.begin() as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    told = only(examine()["warning"])
    assert "revision 9999, which this release does not know" in told


def test_too_few_connections(installed: None, examine: Callable[[], Told], engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.exec_driver_sql(f'ALTER DATABASE "{engine.url.database}" CONNECTION LIMIT 10')
    told = only(examine()["warning"])
    assert "Room for 10 connections" in told
    assert "opens up to 44" in told


def test_a_user_without_rights(
    installed: None,
    examine: Callable[[], Told],
    settings: Callable[[str, str], None],
    engine: Engine,
) -> None:
    # A connection that takes another role at once, as a user of the workers would have it.
    reader = f"reader_of_{engine.url.database}"  # a role belongs to the whole server
    with engine.begin() as db:
        db.exec_driver_sql(f"CREATE ROLE {reader}")
        db.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}")
        db.exec_driver_sql(f'ALTER DATABASE "{engine.url.database}" SET role = {reader}')
    try:
        told = only(examine()["error"])
    finally:
        with engine.begin() as db:
            db.exec_driver_sql(f"DROP OWNED BY {reader}")
            db.exec_driver_sql(f"DROP ROLE {reader}")
    assert "INSERT on jobs" in told
    assert "SELECT on jobs" not in told


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param("nonsense", "cannot be understood", id="no address"),
        pytest.param("mysql://x/y", "another database than Postgres", id="another database"),
        pytest.param("postgresql+psycopg://x@127.0.0.1:1/x", "did not answer", id="nobody there"),
    ],
)
def test_a_database_that_cannot_be_used(
    installed: None,
    examine: Callable[[], Told],
    settings: Callable[[str, str], None],
    url: str,
    says: str,
) -> None:
    settings("DATABASE_URL", url)
    told = only(examine()["error"])
    assert told.startswith("database: ")
    assert says in told


def test_a_clock_that_is_wrong(
    installed: None, examine: Callable[[], Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) - timedelta(seconds=10)

    monkeypatch.setattr(database, "datetime", Late)
    assert "10.0 s ahead of this machine's" in only(examine()["warning"])


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        pytest.param("BLOBS", "s3://no-such-bucket", "There is no bucket", id="no bucket"),
        pytest.param("S3_SECRET_KEY", "not-the-secret", "refused access", id="wrong key"),
        pytest.param("BLOBS", "ftp://x", "scheme 'ftp'", id="wrong scheme"),
    ],
)
def test_an_object_store_that_cannot_be_used(
    installed: None,
    examine: Callable[[], Told],
    settings: Callable[[str, str], None],
    name: str,
    value: str,
    says: str,
) -> None:
    settings(name, value)
    told = only(examine()["error"])
    assert told.startswith("objects: ")
    assert says in told
    assert "not-the-secret" not in told


@pytest.mark.parametrize("url", ["redis://:hidden-word@127.0.0.1:1/0", "http://x"])
def test_a_redis_that_cannot_be_used_is_no_error(
    installed: None, examine: Callable[[], Told], settings: Callable[[str, str], None], url: str
) -> None:
    settings("REDIS_URL", url)
    told = only(examine()["warning"])
    assert told.startswith("redis: ")
    assert "hidden-word" not in told


def test_dead_hosts_do_not_hang_it(
    installed: None,
    examine: Callable[[], Told],
    settings: Callable[[str, str], None],
    cut: Callable[[int], CutProxy],
    rabbit: str,
    postgres: str,
    s3: Bucket,
    redis_url: str,
) -> None:
    lines = {}
    for name, url in (
        ("BROKER_URL", rabbit),
        ("DATABASE_URL", postgres),
        ("REDIS_URL", redis_url),
        ("S3_ENDPOINT", s3.endpoint),
    ):
        port = urlsplit(url).port
        assert port
        lines[name] = cut(port)
        settings(name, url.replace(f":{port}", f":{lines[name].port}"))
    assert set(examine()) == {"ok"}
    for line in lines.values():
        line.mode = Mode.BLACKHOLE
    started = time.monotonic()
    found = examine()
    assert time.monotonic() - started < 15
    assert {one["part"] for one in found["error"]} == {"broker", "database", "objects"}
    assert {one["part"] for one in found["warning"]} == {"redis"}
