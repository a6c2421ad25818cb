"""The contract's messages: golden ones, hostile ones, and what the published schemas say."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from packshot.contract import (
    CUTOUT,
    MAX_MESSAGE_BYTES,
    OPTIONAL_STEPS,
    Event,
    EventType,
    Image,
    Job,
    Output,
    Step,
)
from packshot.errors import InvalidMessage
from packshot.events import DATA, data_of
from packshot.jsontext import escaped

GOLDEN = Path(__file__).parent / "golden"
SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"

BASE: dict[str, Any] = {
    "version": 1,
    "source": "tests",
    "job_id": "1",
    "image": {"uri": "s3://a/b"},
}


def golden(kind: str) -> list[Any]:
    paths = sorted(GOLDEN.glob(f"{kind}-*.json"))
    assert paths
    return [pytest.param(path, id=path.stem.removeprefix(f"{kind}-")) for path in paths]


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def body(**changes: Any) -> bytes:
    return json.dumps({**BASE, **changes}).encode()


def raw(tail: str) -> bytes:
    """A valid message whose last field is written by hand."""
    return (json.dumps(BASE)[:-1] + ", " + tail + "}").encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def job_schema() -> Draft202012Validator:
    schema = load(SCHEMAS / "job.v1.schema.json")
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.fixture(scope="module")
def event_schema() -> Draft202012Validator:
    schema = load(SCHEMAS / "event.v1.schema.json")
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.parametrize("path", golden("valid"))
def test_a_valid_message_survives_every_hand_it_goes_through(path: Path) -> None:
    job = Job.parse(path.read_bytes())
    stored = json.loads(json.dumps(job.model_dump(mode="json"), allow_nan=False))
    assert Job.parse(job.model_dump_json()) == job  # the client publishes this
    assert Job.model_validate(stored) == job  # the ledger stores this
    assert Job.model_validate(stored).digest() == job.digest()
    assert (job.chain[0], job.chain[-1]) == (Step.PREPARE, Step.FINISH)


@pytest.mark.parametrize("path", golden("valid"))
def test_the_schema_takes_what_the_parser_takes(
    path: Path, job_schema: Draft202012Validator
) -> None:
    job_schema.validate(load(path))
    job_schema.validate(json.loads(Job.parse(path.read_bytes()).model_dump_json()))


@pytest.mark.parametrize("path", golden("invalid"))
def test_an_invalid_message_is_refused_with_a_sentence(
    path: Path, job_schema: Draft202012Validator
) -> None:
    case = load(path)
    with pytest.raises(InvalidMessage) as refusal:
        Job.parse(json.dumps(case["message"]))
    assert case["sentence"] in str(refusal.value)
    assert str(refusal.value).endswith(".")
    # Some rules are beyond a schema; it is never stricter than the parser.
    assert job_schema.is_valid(case["message"]) is (case["schema"] == "accepts")


@pytest.mark.parametrize("path", golden("event"))
def test_an_event_reads_as_its_type_and_fits_the_schema(
    path: Path, event_schema: Draft202012Validator
) -> None:
    event = Event.model_validate_json(path.read_bytes())
    assert event.model_dump(mode="json", exclude_none=True) == load(path)
    data = data_of(event)
    assert type(data) is DATA[event.type]
    sent = load(path)["data"]
    assert data.model_dump(mode="json", exclude_unset=True) == sent
    event_schema.validate(load(path))


@pytest.mark.parametrize(
    ("path", "without"),
    [
        pytest.param("event-accepted", "pictures", id="accepted"),
        pytest.param("event-review-requested", "reasons", id="review requested"),
        pytest.param("event-failed", "step", id="failed"),
        pytest.param("event-rejected", "code", id="rejected"),
        pytest.param("event-reviewed", "job_id", id="reviewed"),
    ],
)
def test_the_event_schema_knows_what_belongs_to_each_type(
    path: str, without: str, event_schema: Draft202012Validator
) -> None:
    event = load(GOLDEN / f"{path}.json")
    del event["data"][without]
    (problem,) = event_schema.iter_errors(event)
    assert without in problem.message


def test_a_newer_worker_may_add_fields_to_its_events(event_schema: Draft202012Validator) -> None:
    event = load(GOLDEN / "event-accepted.json")
    event["data"]["pictures"][0]["dpi"] = 300
    event["data"]["category"]["ja"] = "x"
    event["data"]["more"] = event["extension"] = 1
    event_schema_problems = [error.message for error in event_schema.iter_errors(event)]
    assert event_schema_problems == []
    assert data_of(Event.model_validate(event)).model_dump()["status"] == "accepted"


def test_every_event_type_has_a_golden_file_and_a_type() -> None:
    seen = {load(path)["type"] for path in GOLDEN.glob("event-*.json")}
    assert seen == {kind.value for kind in EventType} == {kind.value for kind in DATA}


DEEP = 100_000
HOSTILE = {
    "empty": b"",
    "space": b" \n",
    "nul bytes": b"\0\0\0\0",
    "array": b"[]",
    "null": b"null",
    "text": b'"job"',
    "number": b"1",
    "cut off": body()[:-1],
    "two documents": body() + body(),
    "trailing comma": body()[:-1] + b",}",
    "single quotes": body().replace(b'"', b"'"),
    "comment": b"/* job */" + body(),
    "byte order mark": b"\xef\xbb\xbf" + body(),
    "utf-16": body().decode().encode("utf-16"),
    "utf-16 without mark": body().decode().encode("utf-16-le"),
    "utf-32": body().decode().encode("utf-32"),
    "gbk": raw('"sku": "旺仔"').decode().encode("gbk"),
    "invalid utf-8": body().replace(b"tests", b"te\xff\xfests"),
    "overlong utf-8": body().replace(b"tests", b"te\xc0\xafsts"),
    "raw surrogate": raw('"sku": "\ud800"'),
    "lone surrogate": raw('"sku": "\\ud800"'),
    "lone low surrogate": raw('"metadata": {"a": "\\udc00"}'),
    "surrogate in a name": raw('"\\ud800": 1'),
    "deep arrays": b"[" * DEEP,
    "deep closed arrays": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP,
    "deep metadata": raw('"metadata": {"a":' + "[" * DEEP + "]" * DEEP + "}"),
    "nan": raw('"metadata": {"a": NaN}'),
    "infinity": raw('"metadata": {"a": Infinity}'),
    "minus infinity": raw('"metadata": {"a": [-Infinity]}'),
    "infinite by its exponent": raw('"metadata": {"a": 1e999}'),
    "nan fill": raw('"outputs": [{"name": "a", "fill": NaN}]'),
    "huge number": raw('"metadata": {"a": ' + "9" * 5000 + "}"),
    "huge number as version": body().replace(b'"version": 1', b'"version": ' + b"1" * 5000),
    "huge exponent": raw('"outputs": [{"name": "a", "size": 1e400}]'),
    "field twice": raw('"source": "other"'),
    "field twice inside": raw('"metadata": {"a": {"b": 1, "b": 2}}'),
    "same field escaped": raw('"s\\u006furce": "other"'),
    "two megabytes": body(metadata={"a": "x" * 2_000_000}),
    "raw newline": raw('"sku": "a\nb"'),
    "nul in an unknown name": raw('"a\\u0000b": 1'),
    "long unknown name": raw('"' + "a" * 500_000 + '": 1'),
}


@pytest.mark.parametrize("message", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_body_is_an_invalid_message_and_nothing_else(message: bytes) -> None:
    with pytest.raises(InvalidMessage) as refusal:
        Job.parse(message)
    # The sentence goes into a log, a header and the database.
    sentence = str(refusal.value)
    assert sentence == escaped(sentence, 2000)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        pytest.param(HOSTILE["field twice"], "source: the field is there twice.", id="twice"),
        pytest.param(HOSTILE["nan"], "metadata: numbers must be finite, and", id="nan"),
        pytest.param(HOSTILE["empty"], "Invalid JSON: EOF", id="empty"),
        pytest.param(HOSTILE["array"], "message: Input should be an object.", id="array"),
        pytest.param(HOSTILE["deep arrays"], "recursion limit exceeded", id="deep"),
        pytest.param(
            HOSTILE["two megabytes"], "the limit is 1,048,576: put the picture into", id="large"
        ),
        pytest.param(HOSTILE["nul in an unknown name"], r"a\x00b: Extra inputs", id="escaped"),
    ],
)
def test_a_hostile_body_is_told_apart(message: bytes, sentence: str) -> None:
    with pytest.raises(InvalidMessage) as refusal:
        Job.parse(message)
    assert sentence in str(refusal.value)


def test_the_limit_is_counted_in_bytes() -> None:
    room = MAX_MESSAGE_BYTES - len(body(metadata={"a": ""}))
    assert Job.parse(body(metadata={"a": "x" * room}))
    with pytest.raises(InvalidMessage, match="1,048,577"):
        Job.parse(body(metadata={"a": "x" * (room + 1)}))
    with pytest.raises(InvalidMessage, match="limit"):
        Job.parse(json.dumps({**BASE, "metadata": {"a": "旺" * 400_000}}, ensure_ascii=False))


def test_deep_metadata_that_is_taken_can_be_stored_and_read_again() -> None:
    deep: Any = "end"
    for _ in range(150):
        deep = [deep]
    job = Job.parse(body(metadata={"deep": deep}))
    assert Job.model_validate(json.loads(json.dumps(job.model_dump(mode="json")))) == job


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(float("nan"), id="nan"),
        pytest.param(float("-inf"), id="infinity"),
        pytest.param(10**309, id="large"),
        pytest.param(-(10**309), id="small"),
        pytest.param("a\0", id="nul"),
        pytest.param({"\0": 1}, id="nul in a name"),
    ],
)
def test_a_client_cannot_build_what_the_wire_refuses(value: Any) -> None:
    with pytest.raises(ValueError, match="metadata"):
        Job(**{**BASE, "metadata": {"deep": [{"value": value}]}})


def test_a_job_without_matting_gets_no_pictures_and_can_be_sent() -> None:
    job = Job(version=1, source="s", job_id="1", image=Image(uri="x"), steps=(Step.OCR,))
    assert job.outputs == job.wanted == ()
    assert Job.parse(job.model_dump_json()) == job
    assert Job.parse(body()).outputs == (CUTOUT,)


def test_steps_are_done_in_their_own_order() -> None:
    assert Job.parse(body(steps=["matting", "ocr"])).steps == (Step.OCR, Step.MATTING)
    assert Job.parse(body()).steps == OPTIONAL_STEPS


def test_a_colour_means_the_same_in_both_cases() -> None:
    output = {"name": "a", "background": "#FFaaFF"}
    assert Job.parse(body(outputs=[output])).outputs == (Output(name="a", background="#ffaaff"),)


EQUAL = {
    "itself": body(),
    "spaces": body().replace(b" ", b"   "),
    "order": json.dumps(dict(reversed(BASE.items()))).encode(),
    "defaults written out": body(lane="bulk", steps=["matting", "ocr", "recognition"], sku=""),
    "other trace": body(traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
}
OTHER = {
    "sku": body(sku="A"),
    "lane": body(lane="live"),
    "metadata": body(metadata={"a": 1}),
    "outputs": body(outputs=[]),
    "image": body(image={"uri": "s3://a/c"}),
}


@pytest.mark.parametrize("message", EQUAL.values(), ids=EQUAL.keys())
def test_the_same_wish_has_the_same_digest(message: bytes) -> None:
    assert Job.parse(message).digest() == Job.parse(body()).digest()


@pytest.mark.parametrize("message", OTHER.values(), ids=OTHER.keys())
def test_another_wish_has_another_digest(message: bytes) -> None:
    assert Job.parse(message).digest() != Job.parse(body()).digest()


@pytest.mark.parametrize("path", golden("valid"))
def test_a_message_keeps_its_digest_from_release_to_release(path: Path) -> None:
    """The ledger compares with what an earlier release computed: see `Job.digest`."""
    kept = load(GOLDEN / "digests.json")
    assert Job.parse(path.read_bytes()).digest() == kept[path.stem.removeprefix("valid-")]


def parses_or_is_refused(message: bytes) -> None:
    """Whatever comes, it is a job that can be stored, or a refusal that can be stored."""
    try:
        job = Job.parse(message)
    except InvalidMessage as refusal:
        assert str(refusal) == escaped(str(refusal), 5000)
        return
    stored = json.dumps(job.model_dump(mode="json"), allow_nan=False)
    assert "\\u0000" not in stored
    assert Job.model_validate(json.loads(stored)) == job
    assert Job.parse(job.model_dump_json()) == job
    assert job.digest()


anything: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(["1", "ocr", "matting", "#ffffff", "transparent", "live", "jpeg", "\0"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
fields = st.sampled_from(sorted(Job.model_fields)) | st.text(max_size=8)
quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


@quick
@given(anything)
def test_random_json_is_never_a_surprise(value: Any) -> None:
    parses_or_is_refused(json.dumps(value).encode())


@quick
@given(st.dictionaries(fields, anything, max_size=5))
def test_a_message_with_random_fields_is_never_a_surprise(changes: dict[str, Any]) -> None:
    parses_or_is_refused(body(**changes))


@quick
@given(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["a", "b"])},
        optional={name: anything for name in Output.model_fields if name != "name"},
    ),
    st.lists(st.sampled_from(["ocr", "recognition", "matting", "finish"]), max_size=4),
)
def test_a_message_with_a_random_output_is_never_a_surprise(
    output: dict[str, Any], steps: list[str]
) -> None:
    parses_or_is_refused(body(outputs=[output], steps=steps))


@quick
@given(st.data())
def test_a_damaged_message_is_never_a_surprise(data: st.DataObject) -> None:
    message = bytearray((GOLDEN / "valid-full.json").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(message) - 1))
        damage = data.draw(st.binary(max_size=3))
        message[at : at + data.draw(st.integers(0, 3))] = damage
    parses_or_is_refused(bytes(message))


def test_nothing_here_needs_a_larger_stack() -> None:
    assert sys.getrecursionlimit() <= 1000
