"""`packshot dead` over a real broker and a real ledger."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from amqp.exceptions import PreconditionFailed
from click.testing import CliRunner, Result
from kombu import Connection, Producer
from sqlalchemy import Engine

from packshot.client import Client
from packshot.contract import (
    DEAD_QUEUE,
    INTAKE_QUEUE,
    REJECTED_QUEUE,
    Image,
    Job,
    Lane,
    Step,
    queue_name,
)
from packshot.errors import BrokerUnavailable, Poison
from packshot.identity import uuid7
from packshot.settings import Settings
from packshot.store.engine import open_engine
from packshot.store.ledger import Ledger, Outcome
from packshot.store.tables import JobStatus
from packshot.store.tickets import Settlement
from packshot.store.views import Views
from tasks import workflow
from tasks.app import create_app
from tasks.intake import Intake
from tasks.topology import DEAD, REJECTED_KEY, declare
from tests.support.fleet import depth, wait_until
from tests.support.rabbit_node import confirming
from workers.commands.dead import dead
from workers.dead import Look
from workers.intake import IntakeConsumer
from workers.services import open_ledger

pytestmark = pytest.mark.services

JOB = Job(version=1, source="shop", job_id="a/1", image=Image(uri="s3://in/1.jpg"))
OCR = queue_name(Step.OCR, Lane.BULK)


@pytest.fixture
def engine(postgres_ledger: str) -> Iterator[Engine]:
    engine = open_engine(postgres_ledger)
    yield engine
    engine.dispose()


@pytest.fixture
def settings(
    rabbit: str,
    postgres_ledger: str,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Settings:
    monkeypatch.setenv("PACKSHOT_BROKER_URL", rabbit)
    monkeypatch.setenv("PACKSHOT_DATABASE_URL", postgres_ledger)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    settings = Settings.load()
    with Connection(rabbit) as connection:
        declare(connection, settings.queue_limit)
    return settings


@pytest.fixture
def ledger(settings: Settings, engine: Engine) -> Ledger:
    return open_ledger(settings, engine)


@pytest.fixture
def run(settings: Settings) -> Callable[..., Result]:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(dead, arguments, standalone_mode=False)

    return invoke


def listed(run: Callable[..., Result]) -> list[dict[str, Any]]:
    letters: list[dict[str, Any]] = json.loads(run("list", "--json").stdout)["letters"]
    return letters


def take(rabbit: str, queue: str, *, reject: bool = False) -> Any:
    """The next message of a queue; acknowledged, or given up as a worker does it."""
    with Connection(rabbit) as connection, connection.channel() as channel:
        channel.auto_decode = False
        message = channel.basic_get(queue)
        if message is not None and reject:
            channel.basic_reject(message.delivery_tag, requeue=False)
        elif message is not None:
            channel.basic_ack(message.delivery_tag)
        return message


def refuse(rabbit: str, body: bytes, number: int = 0) -> None:
    """Set a message aside as the intake does it."""
    with confirming(rabbit) as connection:
        Producer(connection.channel(), exchange=DEAD, auto_declare=False).publish(
            body,
            routing_key=REJECTED_KEY,
            content_type="application/json",
            content_encoding="utf-8",
            headers={"x-packshot-code": "conflict", "x-packshot-reason": f"Number {number}."},
            message_id=str(uuid7()),
            timestamp=int(time.time()),
            mandatory=True,
        )


def poisoned(settings: Settings, ledger: Ledger, rabbit: str, engine: Engine) -> UUID:
    """A job that failed in its second step, whose message rests with the dead letters."""
    row = ledger.submit(JOB).id
    ledger.commit(ledger.begin(row, Step.PREPARE, worker="w"), Outcome({}))
    with create_app(settings) as app:
        workflow.start(app, row, JOB, first=Step.OCR)
    ledger.fail(ledger.begin(row, Step.OCR, worker="w"), Poison("Begun too often."))
    take(rabbit, OCR, reject=True)
    wait_until(lambda: depth(rabbit, DEAD_QUEUE) == 1, 10, "nothing in the dead letters")
    return row


def test_nothing_rests(run: Callable[..., Result]) -> None:
    assert run("list").stdout == "There are no dead letters.\n"
    assert listed(run) == []
    assert (run("replay", "--all").return_value, run("replay", "--all").stdout) == (
        0,
        "Replayed 0, left 0.\n",
    )


def test_looking_again_and_again_loses_nothing(run: Callable[..., Result], rabbit: str) -> None:
    for number in range(3):
        refuse(rabbit, b"the same", number)
    seen = {one["id"] for one in listed(run)}
    assert len(seen) == 3
    # More often than the 20 deliveries after which RabbitMQ 4 drops a letter of a common queue.
    for _ in range(30):
        # A quorum queue takes letters back a moment after it has answered.
        wait_until(lambda: depth(rabbit, REJECTED_QUEUE) == 3, 10, "they did not come back")
        with Look(rabbit) as look:
            assert len(list(look.letters())) == 3
    assert {one["id"] for one in listed(run)} == seen


def test_a_look_that_is_cut_off_gives_everything_back(
    run: Callable[..., Result], rabbit: str
) -> None:
    refuse(rabbit, b"kept")
    look = Look(rabbit).__enter__()
    assert len(list(look.letters())) == 1
    assert depth(rabbit, REJECTED_QUEUE) == 0
    look._connection.connection.transport.sock.close()
    wait_until(lambda: depth(rabbit, REJECTED_QUEUE) == 1, 10, "it did not come back")


def test_the_list_shows_why_and_whose(run: Callable[..., Result], rabbit: str) -> None:
    refuse(rabbit, JOB.model_dump_json().encode())
    (one,) = listed(run)
    assert one["age_seconds"] in range(60)
    assert (one["queue"], one["kind"], one["code"]) == (REJECTED_QUEUE, "job", "conflict")
    assert (one["reason"], one["source"], one["job_id"]) == ("Number 0.", "shop", "a/1")
    text = run("list").stdout
    assert all(word in text for word in (one["id"], "rejected", "shop/a/1", "conflict: Number 0."))
    assert "1 of 1" not in text
    refuse(rabbit, b"another")
    assert "1 of 2 letters" in run("list", "--limit", "1").stdout


def test_what_the_intake_refuses_is_listed_with_its_reason(
    run: Callable[..., Result], settings: Settings, ledger: Ledger, rabbit: str
) -> None:
    with create_app(settings) as app:
        intake = IntakeConsumer(
            Intake(app, ledger), broker_url=rabbit, queue_limit=settings.queue_limit
        )
        intake.start()
        with Client(rabbit) as client:
            for body in (b"", b'{"version": 1, "source": "shop", "job_id": "b/2"}'):
                client.publish(body)
        wait_until(lambda: depth(rabbit, REJECTED_QUEUE) == 2, 20, "not refused")
        intake.stop()
    empty, named = sorted(listed(run), key=lambda one: one["bytes"])
    assert (empty["code"], empty["bytes"], empty["kind"]) == ("invalid_message", 0, "job")
    assert (named["source"], named["job_id"]) == ("shop", "b/2")
    assert "image" in named["reason"]
    assert named["age_seconds"] in range(60)
    assert empty["id"] != named["id"]


def test_a_step_shows_its_job(
    run: Callable[..., Result], settings: Settings, ledger: Ledger, rabbit: str, engine: Engine
) -> None:
    row = poisoned(settings, ledger, rabbit, engine)
    (one,) = listed(run)
    assert (one["kind"], one["step"], one["row"]) == ("step", "ocr", str(row))
    assert (one["origin"], one["code"]) == (OCR, "rejected")
    assert (one["source"], one["job_id"], one["status"]) == ("shop", "a/1", "failed")
    page = run("show", one["id"][:4]).stdout
    assert "shop/a/1: failed" in page
    assert "poison: Begun too often." in page
    assert '"lane": "bulk"' in page
    assert "x-death" in page
    shown = json.loads(run("show", one["id"], "--json").stdout)
    assert [step["status"] for step in shown["job"]["steps"]][:2] == ["done", "failed"]


def test_a_refused_message_goes_to_the_intake_byte_by_byte(
    run: Callable[..., Result], rabbit: str
) -> None:
    body = b'{"version": 1,   "odd": "\xff"'
    refuse(rabbit, body)
    (one,) = listed(run)
    done = run("replay", one["id"])
    assert (done.return_value, "handed to the intake" in done.stdout) == (0, True)
    assert bytes(take(rabbit, INTAKE_QUEUE).body) == body
    assert listed(run) == []
    again = run("replay", one["id"])
    assert again.return_value == 1
    assert "may have been replayed already" in again.stderr


def test_a_replayed_message_becomes_one_job_however_often(
    run: Callable[..., Result], settings: Settings, ledger: Ledger, rabbit: str, engine: Engine
) -> None:
    for _ in range(3):
        refuse(rabbit, JOB.model_dump_json().encode())
    assert run("replay", "--all", "--queue", "rejected").return_value == 0
    with create_app(settings) as app:
        intake = Intake(app, ledger)
        rows = {intake.take(bytes(take(rabbit, INTAKE_QUEUE).body)) for _ in range(3)}
    assert len(rows) == 1
    assert [view.job_id for view in Views(engine).jobs("shop")] == ["a/1"]


def test_a_failed_step_is_reopened_and_started_once(
    run: Callable[..., Result], settings: Settings, ledger: Ledger, rabbit: str, engine: Engine
) -> None:
    row = poisoned(settings, ledger, rabbit, engine)
    (one,) = listed(run)
    done = run("replay", one["id"])
    assert (done.return_value, "shop/a/1 goes on at ocr" in done.stdout) == (0, True)
    assert Views(engine).by_id(row).status == JobStatus.RUNNING
    message = take(rabbit, OCR)
    assert json.loads(message.body)[1]["job"] == str(row)
    assert depth(rabbit, OCR) == 0
    assert listed(run) == []
    assert ledger.begin(row, Step.OCR, worker="w").attempt == 1


def test_a_crash_after_the_replay_costs_nothing(
    run: Callable[..., Result],
    settings: Settings,
    ledger: Ledger,
    rabbit: str,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = poisoned(settings, ledger, rabbit, engine)
    with monkeypatch.context() as patch:

        def die(self: Look, letter: object) -> None:
            raise BrokerUnavailable("gone")

        patch.setattr(Look, "remove", die)
        assert isinstance(run("replay", "--all").exception, BrokerUnavailable)
    wait_until(lambda: depth(rabbit, DEAD_QUEUE) == 1, 10, "the letter is lost")
    assert run("replay", "--all").return_value == 0
    assert depth(rabbit, OCR) == 2  # the second one is told by the ledger that there is no work
    ledger.commit(ledger.begin(row, Step.OCR, worker="w"), Outcome({}))
    assert ledger.begin(row, Step.OCR, worker="w").verdict == "hand_on"
    ledger.begin(row, Step.RECOGNITION, worker="w")
    assert ledger.begin(row, Step.OCR, worker="w").verdict == "drop"


def test_a_settled_job_is_left_alone(
    run: Callable[..., Result], settings: Settings, ledger: Ledger, rabbit: str, engine: Engine
) -> None:
    row = poisoned(settings, ledger, rabbit, engine)
    ledger.retry("shop", "a/1")
    settled = Settlement(JobStatus.ACCEPTED, {}, (), 0.9, None, {})
    for step in JOB.chain[1:]:
        end = settled if step is Step.FINISH else None
        ledger.commit(ledger.begin(row, step, worker="w"), Outcome({}, settlement=end))
    done = run("replay", "--all")
    assert (done.return_value, "shop/a/1 is accepted already" in done.stdout) == (0, True)
    assert (depth(rabbit, OCR), depth(rabbit, DEAD_QUEUE)) == (0, 0)


def test_what_cannot_be_replayed_stays(
    run: Callable[..., Result], settings: Settings, ledger: Ledger, rabbit: str, engine: Engine
) -> None:
    poisoned(settings, ledger, rabbit, engine)
    with engine.begin() as db:
        db.exec_driver_sql("TRUNCATE jobs CASCADE")
    with confirming(rabbit) as connection, connection.channel() as channel:
        Producer(channel, exchange=DEAD, auto_declare=False).publish(b"?", routing_key="dead")
    wait_until(lambda: depth(rabbit, DEAD_QUEUE) == 2, 10, "it did not arrive")
    done = run("replay", "--all")
    assert (done.return_value, done.stdout.count("discard")) == (1, 2)
    assert "Replayed 0, left 2." in done.stdout
    assert len(listed(run)) == 2


def test_what_is_thrown_away_is_kept_in_a_file(
    run: Callable[..., Result], rabbit: str, tmp_path: Path
) -> None:
    refuse(rabbit, b"one")
    refuse(rabbit, b"two")
    ids = [one["id"] for one in listed(run)]
    asked = run("discard", *ids)
    assert (asked.return_value, asked.stdout) == (1, "To throw away: 2. Say --yes to do it.\n")
    wait_until(lambda: depth(rabbit, REJECTED_QUEUE) == 2, 5, "not all came back")
    file = tmp_path / "kept.jsonl"
    assert run("discard", ids[0], "--yes", "--save", str(file)).return_value == 0
    assert run("discard", "--all", "--yes", "--save", str(file)).return_value == 0
    kept = [json.loads(text) for text in file.read_text().splitlines()]
    assert [one["body"] for one in kept] == ["one", "two"]
    assert kept[0]["headers"]["x-packshot-code"] == "conflict"
    assert listed(run) == []


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("replay",), id="replay nothing"),
        pytest.param(("replay", "ab", "--all"), id="replay both"),
        pytest.param(("discard", "--yes"), id="discard nothing"),
    ],
)
def test_it_must_be_said_which(run: Callable[..., Result], arguments: tuple[str, ...]) -> None:
    assert "Name letters by their IDs, or say --all" in str(run(*arguments).exception)


def test_a_short_id_must_be_clear(run: Callable[..., Result], rabbit: str) -> None:
    for number in range(17):  # of 17 ids at least two begin with the same digit
        refuse(rabbit, b"%d" % number)
    first = [one["id"][0] for one in listed(run)]
    twice = next(digit for digit in first if first.count(digit) > 1)
    assert "say more of it" in str(run("show", twice).exception)


def test_a_broker_that_is_away_or_empty_is_a_sentence(
    run: Callable[..., Result], broker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    vhost = broker.create_vhost()
    monkeypatch.setenv("PACKSHOT_BROKER_URL", broker.url(vhost))
    assert "packshot broker setup" in str(run("list").exception)
    broker.delete_vhost(vhost)
    assert "PACKSHOT_BROKER_URL" in str(run("list").exception)
    monkeypatch.setenv("PACKSHOT_BROKER_URL", "amqp://guest:guest@127.0.0.1:1//")
    assert "does not answer" in str(run("list").exception)


def test_the_ledger_may_be_away_for_a_look(
    run: Callable[..., Result],
    settings: Settings,
    ledger: Ledger,
    rabbit: str,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = poisoned(settings, ledger, rabbit, engine)
    monkeypatch.setenv("PACKSHOT_DATABASE_URL", "postgresql+psycopg://x@127.0.0.1:1/x")
    looked = run("list")
    assert looked.exception is None
    assert "Without the ledger" in looked.stderr
    assert str(row) in looked.stdout
    assert "which the ledger does not show" in run("show", "--", listed_id(looked.stdout)).stdout


def listed_id(table: str) -> str:
    return table.splitlines()[-1].split()[0]


def test_another_limit_is_another_queue(rabbit: str, settings: Settings) -> None:
    with (
        Connection(rabbit) as connection,
        connection.channel() as channel,
        pytest.raises(PreconditionFailed),
    ):
        channel.queue_declare(
            REJECTED_QUEUE, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"}
        )
