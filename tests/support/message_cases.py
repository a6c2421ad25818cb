"""Messages that break the contract, each with the words of its refusal."""

import json
from dataclasses import dataclass
from typing import Any

from packshot.contract import MAX_DATA_URI


def _message(**changes: Any) -> bytes:
    fields = {"version": 1, "source": "table", "job_id": "m", "image": {"uri": "s3://a/b.jpg"}}
    return json.dumps(fields | changes).encode()


@dataclass(frozen=True)
class Letter:
    """One message that never becomes a job, and a part of the sentence."""

    id: str
    body: bytes
    says: str
    code: str = "invalid_message"


MESSAGES: tuple[Letter, ...] = (
    Letter("nothing", b"", "EOF while parsing"),
    Letter("no JSON", b"{'version': 1}", "Invalid JSON"),
    Letter("half a message", _message()[:-20], "EOF while parsing"),
    Letter("binary", bytes(range(256)), "Invalid JSON"),
    Letter("a list", b"[]", "should be an object"),
    Letter("an empty object", b"{}", "version: Field required; source: Field required"),
    Letter("an unknown field", _message(colour="red"), "colour: Extra inputs are not permitted"),
    Letter(
        "a field twice", _message()[:-1] + b', "version": 1}', "version: the field is there twice"
    ),
    Letter("another version", _message(version=2), "version: Input should be 1"),
    Letter("a number as text", _message(version="1"), "version: Input should be 1"),
    Letter(
        "a job_id that is a number", _message(job_id=42), "job_id: Input should be a valid string"
    ),
    Letter(
        "an empty job_id", _message(job_id=""), "job_id: String should have at least 1 character"
    ),
    Letter("a job_id of 300 letters", _message(job_id="x" * 300), "at most 256 characters"),
    Letter("a source with blanks", _message(source="a b"), "source: use A-Z, a-z, 0-9"),
    Letter("no image", _message(image=None), "image: Input should be an object"),
    Letter("an image that is text", _message(image="a.jpg"), "image: Input should be an object"),
    Letter(
        "a line break in the address",
        _message(image={"uri": "s3://a/b\n"}),
        "control characters are not allowed",
    ),
    Letter(
        "a data: URI of 600 KB",
        _message(image={"uri": "data:," + "x" * 600_000}),
        f"at most {MAX_DATA_URI} characters",
    ),
    Letter("an unknown step", _message(steps=["bake"]), "steps.0: Input should be"),
    Letter("a step twice", _message(steps=["ocr", "ocr"]), "at most once"),
    Letter("an unknown lane", _message(lane="fast"), "lane: Input should be 'live' or 'bulk'"),
    Letter(
        "a transparent JPEG",
        _message(outputs=[{"name": "a", "format": "jpeg"}]),
        "JPEG has no transparency",
    ),
    Letter(
        "two outputs of one name",
        _message(outputs=[{"name": "a"}, {"name": "a"}]),
        "two outputs have the same name",
    ),
    Letter(
        "an output of 100,000 pixels",
        _message(outputs=[{"name": "a", "size": 100_000}]),
        "less than or equal to 8192",
    ),
    Letter(
        "outputs without matting",
        _message(steps=[], outputs=[{"name": "a"}]),
        "outputs need the matting step",
    ),
    Letter(
        "20 outputs", _message(outputs=[{"name": f"a{n}"} for n in range(20)]), "at most 16 items"
    ),
    Letter(
        "not a number in the metadata",
        _message(metadata={"a": float("nan")}),
        "numbers must be finite",
    ),
    Letter("a NUL in the metadata", _message(metadata={"a": "\0"}), "NUL characters"),
    Letter("100,000 brackets", b"[" * 100_000, "Invalid JSON: recursion limit exceeded"),
    Letter("2 MB of JSON", _message(sku="x" * 2**21), "the limit is 1,048,576"),
    Letter(
        "the same name with other content",
        _message(job_id="a good photo"),
        "was submitted before with other content",
        "conflict",
    ),
)
