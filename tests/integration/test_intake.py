"""Producers' messages over a real broker and a real ledger: a row, a refusal, or wait."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from amqp import Message
from amqp.exceptions import ChannelError
from kombu import Connection
from pydantic import SecretStr
from sqlalchemy import make_url

from packshot.contract import (
    DEAD_QUEUE,
    EXCHANGE,
    INTAKE_QUEUE,
    LIVE_INTAKE_QUEUE,
    LIVE_SUBMIT_KEY,
    REJECTED_QUEUE,
    SUBMIT_KEY,
    Job,
    Lane,
    Step,
    queue_name,
)
from packshot.settings import Settings
from packshot.store.engine import open_engine
from packshot.store.ledger import Ledger, Submitted
from packshot.store.outbox import Outbox
from packshot.store.views import JobView, Views
from tasks.app import create_app
from tasks.intake import Intake
from tests.support.cutproxy import CutProxy
from tests.support.fleet import depth, wait_until
from tests.support.installation import install, small_job
from tests.support.rabbit_node import Broker, confirming
from workers.intake import PREFETCH, TURN, IntakeConsumer, Unread

pytestmark = pytest.mark.services

PREPARE = queue_name(Step.PREPARE, Lane.BULK)


@dataclass
class Site:
    """One installation, with breakable lines to the broker and the database of its intake."""

    settings: Settings
    broker_line: CutProxy
    database_line: CutProxy

    @property
    def url(self) -> str:
        """The broker, past the line that breaks."""
        return self.settings.broker_url.get_secret_value()

    @contextmanager
    def intake(self, kind: type[Ledger] = Ledger) -> Iterator[IntakeConsumer]:
        engine = open_engine(through(self.settings.ledger_url, self.database_line))
        consumer = IntakeConsumer(
            Intake(create_app(self.settings), kind(engine, pipeline="test")),
            broker_url=through(self.url, self.broker_line),
            queue_limit=self.settings.queue_limit,
        )
        consumer.start()
        try:
            yield consumer
        finally:
            consumer.stop()
            engine.dispose()

    def publish(self, *bodies: bytes | str, key: str = SUBMIT_KEY, **properties: Any) -> None:
        with confirming(self.url) as connection, connection.channel() as channel:
            for body in bodies:
                message = Message(body, **properties)
                channel.basic_publish(message, EXCHANGE, key, mandatory=True)

    def jobs(self) -> dict[str, JobView]:
        engine = open_engine(self.settings.ledger_url)
        try:
            return {view.job_id: view for view in Views(engine).jobs("tests")}
        finally:
            engine.dispose()

    def events(self) -> list[dict[str, Any]]:
        engine = open_engine(self.settings.ledger_url)
        out: list[dict[str, Any]] = []
        try:
            Outbox(engine).relay(lambda _kind, event: out.append(event))
        finally:
            engine.dispose()
        return out

    def wait_for_jobs(self, count: int) -> dict[str, JobView]:
        wait_until(lambda: len(self.jobs()) >= count, 20, f"there are not {count} jobs")
        return self.jobs()

    def read(self, queue: str) -> list[Any]:
        found = []
        with Connection(self.url) as connection, connection.channel() as channel:
            channel.auto_decode = False
            while message := channel.basic_get(queue, no_ack=True):
                found.append(message)
        return found


def through(url: str, line: CutProxy) -> str:
    parts = urlsplit(url)
    return url.replace(f"{parts.hostname}:{parts.port}", f"127.0.0.1:{line.port}")


@pytest.fixture
def make_site(
    rabbit: str, postgres: str, broker: Broker, cut: Callable[[int], CutProxy]
) -> Callable[..., Site]:
    def make(**changes: Any) -> Site:
        own = {"broker_url": SecretStr(rabbit), "database_url": SecretStr(postgres)}
        settings = Settings().model_copy(update=own | changes)
        install(settings)
        port = make_url(postgres).port
        assert port is not None
        return Site(settings, cut(broker.amqp_port), cut(port))

    return make


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return make_site()


def message(name: str, **changes: Any) -> str:
    return small_job(name, **changes).model_dump_json()


@dataclass(frozen=True)
class Row:
    """One message, and what becomes of it: a code for a refusal, None for a job."""

    id: str
    body: bytes
    code: str | None
    properties: dict[str, Any] = field(default_factory=dict)


def rows() -> Iterator[Row]:
    """The table: what somebody may send."""
    good = message("good").encode()
    plain = {"content_type": "application/json", "content_encoding": "utf-8"}
    yield Row("valid", good, None, plain)
    yield Row("repeated", good, None, plain)
    yield Row("without properties", message("bare").encode(), None)
    yield Row("wrong content type", message("text").encode(), None, {"content_type": "text/html"})
    yield Row("umlauts", message("umlauts", sku="Größe 茶").encode(), None, plain)
    lying = {"content_encoding": "gzip", "application_headers": {"compression": "gzip"}}
    yield Row("encoding that lies", message("lying").encode(), None, lying)
    yield Row("conflicting", message("good", sku="other").encode(), "conflict", plain)
    for name, body, properties in (
        ("empty", b"", plain),
        ("not JSON", b"{'version': 1}", plain),
        ("list", b"[]", plain),
        ("binary", bytes(range(256)) * 16, {"content_type": "application/octet-stream"}),
        ("Latin-1", message("latin").encode().replace(b"tests", b"\xe9"), plain),
        ("Latin-1 that is said", b'{"sku": "\xe9"}', {"content_encoding": "latin-1"}),
        ("UTF-16", message("wide").encode("utf-16"), {"content_encoding": "utf-16"}),
        ("gzip", gzip.compress(good, mtime=0), lying),
        ("unknown field", b'{"colour": 1, ' + good[1:], plain),
        ("other version", good.replace(b'"version":1', b'"version":2'), plain),
        ("2 MB of JSON", message("big").encode()[:-1] + b" " * 2**21 + b"}", plain),
        ("deep", b"[" * 100_000, plain),
    ):
        yield Row(name, body, "invalid_message", properties)


def test_every_message_becomes_a_row_or_a_refusal_with_its_bytes(site: Site) -> None:
    table = list(rows())
    refused = {row.body: row for row in table if row.code}
    with site.intake():
        for row in table:
            site.publish(row.body, **row.properties)
        site.publish(message("last"))
        jobs = site.wait_for_jobs(6)
    assert set(jobs) == {"good", "bare", "text", "umlauts", "lying", "last"}
    assert {view.status for view in jobs.values()} == {"queued"}
    resting = {bytes(one.body or b""): one for one in site.read(REJECTED_QUEUE)}
    assert set(resting) == set(refused)
    events = site.events()
    assert {event["type"] for event in events} == {"job.rejected"}
    told = [(event["data"]["code"], event["data"]["message"]) for event in events]
    assert len(told) == len(refused)
    for body, one in resting.items():
        row = refused[body]
        code, reason = one.headers["x-packshot-code"], one.headers["x-packshot-reason"]
        assert code == row.code, row.id
        assert (code, reason) in told, row.id
        given = row.properties.get("content_type", "application/octet-stream")
        assert one.properties["content_type"] == given
    # Started twice, since nobody had begun it when it came again: the ledger tells them apart.
    started = [json.loads(one.body)[1]["job"] for one in site.read(PREPARE)]
    assert {UUID(one) for one in started} == {view.id for view in jobs.values()}
    assert len(started) == len(jobs) + 1
    assert depth(site.url, INTAKE_QUEUE) == depth(site.url, DEAD_QUEUE) == 0


def test_a_database_that_is_down_holds_the_messages(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than the broker waits for a sign of life: the connection has to be kept meanwhile."""
    monkeypatch.setattr("workers.intake.HEARTBEAT_SECONDS", 2)
    monkeypatch.setattr("workers.intake.HOLD_CAP", 0.5)
    with site.intake():
        site.publish(message("before"))
        site.wait_for_jobs(1)
        site.database_line.cut()
        site.publish(message("1"), "not a job", message("2"))
        patience = time.monotonic() + 6
        wait_until(lambda: time.monotonic() > patience, 7, "time stands still")
        assert depth(site.url, INTAKE_QUEUE) == 0  # unacknowledged, not ready
        assert set(site.jobs()) == {"before"}
        site.database_line.heal()
        site.wait_for_jobs(3)
        wait_until(lambda: depth(site.url, REJECTED_QUEUE) == 1, 10, "no refusal")
        assert site.broker_line.connections == 1
    assert depth(site.url, INTAKE_QUEUE) == depth(site.url, DEAD_QUEUE) == 0
    assert len(site.read(PREPARE)) == 3


def test_a_lost_broker_is_found_again(site: Site) -> None:
    with site.intake():
        site.publish(message("before"))
        site.wait_for_jobs(1)
        site.broker_line.reset()
        site.publish(message("after"))
        assert set(site.wait_for_jobs(2)) == {"before", "after"}
        assert site.broker_line.connections >= 2


def test_a_deleted_queue_is_made_again(site: Site) -> None:
    with site.intake():
        site.publish(message("before"))
        site.wait_for_jobs(1)
        with Connection(site.url) as connection, connection.channel() as channel:
            channel.queue_delete(INTAKE_QUEUE)
        wait_until(lambda: _published(site, message("after")), 10, "the queue is not made again")
        assert set(site.wait_for_jobs(2)) == {"before", "after"}


def _published(site: Site, body: str) -> bool:
    """Whether a queue took it: there may be one already that is not bound yet."""
    try:
        site.publish(body)
    except ChannelError:
        return False
    return True


def test_a_live_job_is_taken_in_before_a_burst_of_bulk_ones(site: Site) -> None:
    site.publish(*(message(str(number)) for number in range(60)))
    site.publish(message("live"), key=LIVE_SUBMIT_KEY)
    with site.intake():
        jobs = site.wait_for_jobs(61)
    order = sorted(jobs, key=lambda name: jobs[name].created_at)
    # Not the very first: what has come while the live queue was being opened may be at hand.
    assert order.index("live") < 20


class Gated(Ledger):
    """Holds the job named gate until it is opened."""

    opened = threading.Event()

    def submit(self, job: Job) -> Submitted:
        if job.job_id == "gate":
            assert self.opened.wait(20)
        return super().submit(job)


def test_a_live_job_overtakes_the_bulk_ones_already_handed_over(site: Site) -> None:
    """The broker has sent them down the connection before it: they are read, not taken first."""
    Gated.opened.clear()
    with site.intake(Gated):
        site.publish(message("gate"))
        wait_until(lambda: depth(site.url, INTAKE_QUEUE) == 0, 10, "the gate is not taken")
        site.publish(*(message(str(number)) for number in range(2 * PREFETCH)))
        # The one at the gate is one of those held.
        held = PREFETCH + 1
        wait_until(lambda: depth(site.url, INTAKE_QUEUE) == held, 10, "they are not handed over")
        site.publish(message("live"), key=LIVE_SUBMIT_KEY)
        wait_until(lambda: depth(site.url, LIVE_INTAKE_QUEUE) == 0, 10, "it is not handed over")
        Gated.opened.set()
        jobs = site.wait_for_jobs(2 * PREFETCH + 2)
    order = sorted(jobs, key=lambda name: jobs[name].created_at)
    # Not the very next: handed over is not yet come.
    assert order.index("live") < PREFETCH // 4


def test_live_jobs_leave_the_others_a_turn() -> None:
    unread = Unread(2)
    unread.queues[0].extend(f"live {number}" for number in range(3 * TURN))
    unread.queues[1].extend(["bulk 1", "bulk 2"])
    taken = [unread.next() for _ in range(2 * TURN)]
    assert [at for at, name in enumerate(taken, 1) if name.startswith("bulk")] == [TURN, 2 * TURN]
    assert taken[:2] == ["live 0", "live 1"]
    rest = []
    while unread:
        rest.append(unread.next())
    assert rest == [f"live {number}" for number in range(2 * TURN - 2, 3 * TURN)]


def test_stop_hands_back_what_is_not_taken_in(site: Site) -> None:
    site.database_line.cut()
    with site.intake() as intake:
        site.publish(*(message(str(number)) for number in range(5)))
        wait_until(lambda: depth(site.url, INTAKE_QUEUE) == 0, 10, "nothing is read")
        intake.stop()
        wait_until(lambda: depth(site.url, INTAKE_QUEUE) == 5, 10, "something is not handed back")
    assert site.jobs() == {}
    site.database_line.heal()
    with site.intake():
        assert set(site.wait_for_jobs(5)) == set("01234")


def test_full_queues_behind_it_hold_the_messages(make_site: Callable[..., Site]) -> None:
    """Each delivery counts at the broker: what cannot go on must not be handed back."""
    site = make_site(queue_limit=2)
    names = {str(number) for number in range(6)}
    with site.intake():
        for name in sorted(names):
            wait_until(lambda: depth(site.url, INTAKE_QUEUE) < 2, 10, "the intake does not read")
            site.publish(message(name))
        wait_until(lambda: depth(site.url, PREPARE) == 3, 10, "the queue is not full")
        started: list[Any] = []
        wait_until(
            lambda: len(site.jobs()) == 4,  # the fourth is in the ledger, and has no place
            10,
            "the intake should be waiting",
        )
        assert depth(site.url, DEAD_QUEUE) == 0
        while len(started) < len(names):
            started += site.read(PREPARE)
        assert set(site.wait_for_jobs(6)) == names
        assert site.broker_line.connections == 1
    assert depth(site.url, INTAKE_QUEUE) == depth(site.url, DEAD_QUEUE) == 0


class Faulty(Ledger):
    """Has a bug that one job brings out."""

    def submit(self, job: Job) -> Submitted:
        if job.job_id == "poison":
            raise LookupError("a bug")
        return super().submit(job)


def test_a_message_that_brings_out_a_bug_rests_alone(site: Site) -> None:
    with site.intake(Faulty):
        site.publish(message("before"), message("poison"), message("after"))
        assert set(site.wait_for_jobs(2)) == {"before", "after"}
    (dead,) = site.read(DEAD_QUEUE)
    assert bytes(dead.body) == message("poison").encode()
    assert depth(site.url, INTAKE_QUEUE) == 0
