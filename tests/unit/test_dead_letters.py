"""What a dead letter says about itself, and how it is shown."""

import io
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console

from packshot.contract import DEAD_QUEUE, REJECTED_QUEUE, Step
from tasks.topology import LOOK_LIMIT, resting_queues
from workers.dead import Kind, Letter
from workers.deadtext import describe, line, render, saved

ROW = UUID("01931b5e-0000-7000-8000-000000000001")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def letter(
    body: object = b"",
    *,
    queue: str = DEAD_QUEUE,
    headers: dict[str, Any] | None = None,
    properties: dict[str, Any] | None = None,
) -> Letter:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Letter(queue=queue, body=data, headers=headers or {}, properties=properties or {}, tag=1)


def death(queue: str, reason: str = "rejected") -> dict[str, Any]:
    return {"queue": queue, "reason": reason, "count": 1, "time": datetime(2026, 11, 23, 10)}  # noqa: DTZ001 - the broker's client gives naive UTC


CALL = [[], {"job": str(ROW), "step": "ocr", "lane": "bulk"}, {}]
TASK = {"task": "packshot.ocr", "id": "a"}


@pytest.mark.parametrize(
    ("one", "kind", "step"),
    [
        pytest.param(
            letter(CALL, headers={**TASK, "x-death": [death("packshot.ocr.bulk")]}),
            Kind.STEP,
            (ROW, Step.OCR),
            id="a step that a worker gave up",
        ),
        pytest.param(
            letter({"version": 1}, queue=REJECTED_QUEUE), Kind.JOB, None, id="a refused message"
        ),
        pytest.param(letter(b"\xff", queue=REJECTED_QUEUE), Kind.JOB, None, id="refused bytes"),
        pytest.param(
            letter(b"x", headers={"x-death": [death("packshot.intake", "delivery_limit")]}),
            Kind.JOB,
            None,
            id="a message that the intake never answered",
        ),
        pytest.param(
            letter(b"{}", headers={"x-death": [death("packshot.ocr.bulk")]}),
            Kind.FOREIGN,
            None,
            id="no task on a step's queue",
        ),
        pytest.param(
            letter(CALL, headers={"task": "other.ocr"}), Kind.FOREIGN, None, id="another's task"
        ),
        pytest.param(
            letter([1, 2, 3], headers=TASK), Kind.FOREIGN, None, id="arguments of numbers"
        ),
        pytest.param(
            letter([[], {"job": 7}, {}], headers=TASK), Kind.FOREIGN, None, id="a job that is no id"
        ),
        pytest.param(letter({"a": 1}, headers=TASK), Kind.FOREIGN, None, id="no call"),
        pytest.param(letter(b"[" * 100_000, headers=TASK), Kind.FOREIGN, None, id="a deep body"),
        pytest.param(letter(headers={"x-death": "nonsense"}), Kind.FOREIGN, None, id="odd headers"),
    ],
)
def test_a_letter_knows_what_it_was(
    one: Letter, kind: Kind, step: tuple[UUID, Step] | None
) -> None:
    assert (one.kind, one.step) == (kind, step)


def test_why_it_rests_is_told_from_its_own_queue_not_from_a_delay() -> None:
    delayed = {**death("celery_delayed_3", "expired")}
    one = letter(CALL, headers={**TASK, "x-death": [delayed, death("packshot.ocr.bulk")]})
    assert (one.code, one.origin) == ("rejected", "packshot.ocr.bulk")
    assert one.since == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert "packshot.ocr.bulk" in one.reason


def test_a_refused_message_brings_its_reason_and_time() -> None:
    one = letter(
        queue=REJECTED_QUEUE,
        headers={"x-packshot-code": "conflict", "x-packshot-reason": "Not that one."},
        properties={"timestamp": int(NOON.timestamp())},
    )
    assert (one.code, one.reason, one.since) == ("conflict", "Not that one.", NOON)


def test_the_id_is_the_same_after_many_looks_and_another_for_another_message() -> None:
    first = letter(b"one", headers={"id": "a"})
    later = letter(b"one", headers={"id": "a", "x-delivery-count": 7, "x-acquired-count": 9})
    others = [
        letter(b"two", headers={"id": "a"}),
        letter(b"one", headers={"id": "b"}),
        letter(b"one", headers={"id": "a"}, properties={"message_id": "m"}),
        letter(b"one", headers={"id": "a"}, queue=REJECTED_QUEUE),
    ]
    assert first.id == later.id
    assert len({first.id, *(one.id for one in others)}) == 5


#: Clears the screen, rings the bell, turns the writing direction round.
HOSTILE = "\x1b[2J\x07\u202eevil[bold]"


@pytest.fixture
def hostile() -> Letter:
    return letter(
        {"source": HOSTILE, "job_id": HOSTILE, "note": HOSTILE},
        queue=REJECTED_QUEUE,
        headers={"x-packshot-code": HOSTILE, "x-packshot-reason": HOSTILE, HOSTILE: HOSTILE},
    )


def test_a_stranger_cannot_write_to_the_terminal(hostile: Letter) -> None:
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(render([hostile], {hostile.id: (HOSTILE, HOSTILE, "")}, NOON))
    text = console.export_text() + describe(hostile, None)
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert "evil[bold]" in text


def test_a_line_of_json_says_what_is_known() -> None:
    one = letter(CALL, headers={**TASK, "x-death": [death("packshot.ocr.bulk")]})
    told = line(one, {one.id: ("shop", "7", "failed")}, NOON)
    assert told["age_seconds"] == 7200
    assert (told["source"], told["job_id"], told["status"]) == ("shop", "7", "failed")
    assert (told["kind"], told["step"], told["row"]) == ("step", "ocr", str(ROW))
    json.dumps(told)


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        pytest.param(b'{"a":1}', "body", '{"a":1}', id="text"),
        pytest.param(b"\xff\x00", "body_base64", "/wA=", id="bytes"),
    ],
)
def test_what_is_thrown_away_is_kept_whole(body: bytes, field: str, value: str) -> None:
    kept = saved(letter(body, headers={"x-death": [death("packshot.intake")], "raw": b"\xff"}))
    assert kept[field] == value
    assert kept["headers"]["x-death"][0]["time"] == "2026-11-23T10:00:00+00:00"
    json.dumps(kept)


def test_looking_never_uses_a_message_up() -> None:
    for queue in resting_queues():
        assert queue.queue_arguments["x-delivery-limit"] == LOOK_LIMIT
