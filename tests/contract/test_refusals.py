"""What becomes of a refused message, over SQLite and Postgres: an event, and never an error."""

import json
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from packshot.contract import Event, Job
from packshot.events import RejectedData, data_of
from packshot.settings import Settings
from packshot.store.ledger import Ledger
from packshot.store.outbox import Outbox
from tasks.app import create_app
from tasks.intake import Intake, Refusal

GOOD = b'{"version":1,"source":"tests","job_id":"1","image":{"uri":"s3://a/b"}'


@pytest.fixture
def engine(both: Engine) -> Engine:
    return both


@pytest.fixture
def intake(engine: Engine) -> Intake:
    settings = Settings.load().model_copy(update={"broker_url": SecretStr("memory://")})
    return Intake(create_app(settings), Ledger(engine, pipeline="test"))


def events(engine: Engine) -> list[Event]:
    out: list[dict[str, Any]] = []
    Outbox(engine).relay(lambda _kind, event: out.append(event))
    return [Event.model_validate(one) for one in out]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        pytest.param(b"", (None, None, None), id="empty"),
        pytest.param(b"\xff\xfe\0", (None, None, None), id="binary"),
        pytest.param(b"[1]", (None, None, None), id="array"),
        pytest.param(b"[" * 100_000, (None, None, None), id="deep"),
        pytest.param(GOOD + b',"lane":"fast"}', ("tests", "1", None), id="readable"),
        pytest.param(
            rb'{"source":"a\u0000b","job_id":"\ud800\n","sku":"\u6c90"}',
            (r"a\x00b", r"\ud800\x0a", "沐"),
            id="unstorable names",
        ),
        pytest.param(
            b'{"source":["a"],"job_id":{"b":1},"sku":7}', (None, None, None), id="other types"
        ),
        pytest.param(
            GOOD.replace(b"tests", b"x" * 5000) + b"}", ("x" * 256, "1", None), id="long name"
        ),
        pytest.param(
            GOOD + rb',"a\u0000' + b"y" * 5000 + b'":1}', ("tests", "1", None), id="unknown name"
        ),
        pytest.param(GOOD + rb',"metadata":{"a":"\u0000"}}', ("tests", "1", None), id="nul"),
        pytest.param(GOOD + b',"metadata":{"a":NaN}}', ("tests", "1", None), id="nan"),
        pytest.param(GOOD + b',"sku":"' + b"z" * 2**21 + b'"}', (None, None, None), id="large"),
    ],
)
def test_a_refused_message_leaves_one_event_that_names_it(
    intake: Intake, engine: Engine, body: bytes, names: tuple[str | None, ...]
) -> None:
    answer = intake.take(body)
    assert isinstance(answer, Refusal)
    (event,) = events(engine)
    data = data_of(event)
    assert isinstance(data, RejectedData)
    assert (event.subject, data.code, data.message) == (None, answer.code, answer.message)
    assert (data.source, data.job_id, data.sku) == names


def test_a_conflict_names_the_job_and_leaves_it_alone(intake: Intake, engine: Engine) -> None:
    job = intake.ledger.submit(Job.parse(GOOD + b"}"))
    answer = intake.take(GOOD + b',"sku":"other"}')
    assert isinstance(answer, Refusal)
    assert answer.code == "conflict"
    (event,) = events(engine)
    assert (event.type, event.data["job_id"], event.subject) == ("job.rejected", "1", None)
    assert [row for row, _job, _step in intake.ledger.unfinished()] == [job.id]


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param(r',"metadata":{"a":"\u0001\u001f\u007f\ufffe\u2028"}', id="odd characters"),
        pytest.param(r',"metadata":{"a":"\ud83e\udd5b"}', id="surrogate pair"),
        pytest.param(',"metadata":{"a":1e20,"b":1e308,"c":5e-324,"d":-0.0}', id="numbers"),
        pytest.param(',"metadata":{"":{"":[]}}', id="empty names"),
        pytest.param(',"metadata":{"a":' + "[" * 150 + "]" * 150 + "}", id="deep"),
    ],
)
def test_a_message_that_is_taken_can_be_stored(intake: Intake, engine: Engine, extra: str) -> None:
    job = Job.parse(GOOD + extra.encode() + b"}")
    intake.ledger.submit(job)
    ((_row, stored, _step),) = intake.ledger.unfinished()
    # Postgres gives 1e308 back as a whole number: equal as doubles, not as Python's integers.
    assert json.loads(stored.model_dump_json(), parse_int=float) == json.loads(
        job.model_dump_json(), parse_int=float
    )
    assert intake.ledger.submit(job).created is False
