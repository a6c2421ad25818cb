"""The contract with upstream, version 1: what a producer sends and what it gets back.

All types are frozen and forbid unknown fields, so that a typing mistake in a message is an error
with a sentence, not a silently ignored wish. The JSON Schemas in docs/schemas are generated from
these classes.
"""

import hashlib
import json
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from packshot.errors import InvalidMessage
from packshot.jsontext import escaped, names_once, storable

#: Exchange that producers publish jobs to, and the routing keys they use. The second one's jobs are
#: taken in first, so that those of the live lane do not stand behind a burst of bulk ones.
EXCHANGE = "packshot"
SUBMIT_KEY = "job.submit"
LIVE_SUBMIT_KEY = "job.submit.live"
#: Topic exchange that events are published to; the routing key is the event's type.
EVENTS_EXCHANGE = "packshot.events"
#: Where dead letters and refused messages go.
DEAD_EXCHANGE = "packshot.dlx"
INTAKE_QUEUE = "packshot.intake"
LIVE_INTAKE_QUEUE = "packshot.intake.live"
#: Where producers' messages wait, by their routing keys; the most urgent first.
INTAKE_QUEUES = {LIVE_SUBMIT_KEY: LIVE_INTAKE_QUEUE, SUBMIT_KEY: INTAKE_QUEUE}
REVIEW_QUEUE = "packshot.review"
REJECTED_QUEUE = "packshot.rejected"
DEAD_QUEUE = "packshot.dead"

#: A message larger than this is refused unread (bytes). Pictures do not belong into messages.
MAX_MESSAGE_BYTES = 1024 * 1024
#: A `data:` URI may be this long (bytes, before decoding: 256 KiB of picture in base64).
MAX_DATA_URI = 256 * 1024 * 4 // 3 + 128
#: Outputs that one job may ask for.
MAX_OUTPUTS = 16

#: Problems of one message that a refusal tells of.
_TOLD_PROBLEMS = 5
#: Characters of a field's path in a refusal: the names in it are the sender's and of any length.
_TOLD_PATH = 120

#: No control characters: they belong into no name, address or header.
_LINE = r"^[^\x00-\x1f\x7f]*$"
_SOURCE = r"^[A-Za-z0-9._-]*$"
_NAME = r"^[a-z0-9][a-z0-9_-]{0,31}$"
_COLOUR = r"^#[0-9a-fA-F]{6}$"
_PLAIN = r"^(transparent|#[0-9a-fA-F]{6})$"
_WRONG_BACKGROUND = "use 'transparent', a colour as '#rrggbb', a gradient or a template"
#: What a refusal says instead of a pattern.
_SENTENCES = {
    _LINE: "control characters are not allowed",
    _SOURCE: "use A-Z, a-z, 0-9, '.', '_' and '-'",
    _NAME: "use 1 to 32 characters of a-z, 0-9, '-' and '_', the first one a letter or digit",
    _COLOUR: "write a colour as '#rrggbb'",
    _PLAIN: _WRONG_BACKGROUND,
}

_Line = Annotated[str, Field(pattern=_LINE)]
_Colour = Annotated[str, Field(pattern=_COLOUR), AfterValidator(str.lower)]


def _kind_of_background(value: Any) -> str | None:
    if isinstance(value, str):
        return "plain"
    if isinstance(value, Template) or (isinstance(value, dict) and "uri" in value):
        return "template"
    return "gradient" if isinstance(value, Gradient | dict) else None


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Lane(StrEnum):
    """How urgent a job is. Each stage has a queue per lane."""

    LIVE = "live"  # someone is waiting
    BULK = "bulk"


class Step(StrEnum):
    """The stages, in the order in which a job passes them."""

    PREPARE = "prepare"
    OCR = "ocr"
    RECOGNITION = "recognition"
    MATTING = "matting"
    FINISH = "finish"


#: The steps that a producer may leave out.
OPTIONAL_STEPS = (Step.OCR, Step.RECOGNITION, Step.MATTING)


class Image(_Frozen):
    """Where the photo lies: s3://bucket/key, https://..., or a small data: URI."""

    uri: Annotated[_Line, Field(min_length=1, max_length=MAX_DATA_URI)]


class Gradient(_Frozen):
    """A vertical gradient as background, from the top colour to the bottom colour."""

    top: _Colour
    bottom: _Colour


class Template(_Frozen):
    """A picture as background, named like a photo; it is scaled to cover the output."""

    uri: Annotated[_Line, Field(min_length=1, max_length=2048)]


_Plain = Annotated[str, Field(pattern=_PLAIN), AfterValidator(str.lower)]
Background = Annotated[
    Annotated[_Plain, Tag("plain")]
    | Annotated[Gradient, Tag("gradient")]
    | Annotated[Template, Tag("template")],
    Discriminator(
        _kind_of_background,
        custom_error_type="background",
        custom_error_message=_WRONG_BACKGROUND,
    ),
]


class Output(_Frozen):
    """One picture to render from the cut-out.

    `size` is the side of the square canvas in pixels; without it the picture keeps the photo's own
    size. `fill` is the share of the canvas side that the product's longer side takes (0.1 to 1);
    without it the product stays where it was, or fills 0.85 when `size` is given.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"format": {"const": "jpeg"}}, "required": ["format"]},
            "then": {
                "properties": {"background": {"not": {"const": "transparent"}}},
                "required": ["background"],
            },
        }
    )

    name: Annotated[str, Field(pattern=_NAME)]
    background: Background = "transparent"
    format: Literal["png", "jpeg", "webp"] = "png"
    size: Annotated[int, Field(ge=64, le=8192)] | None = None
    fill: Annotated[float, Field(ge=0.1, le=1.0)] | None = None
    shadow: bool = False
    quality: Annotated[int, Field(ge=1, le=100)] = 92

    @model_validator(mode="after")
    def _jpeg_has_no_alpha(self) -> Self:
        if self.format == "jpeg" and self.background == "transparent":
            raise ValueError("JPEG has no transparency: give a background or use png or webp")
        return self


#: What a job gets that asks for nothing: the transparent cut-out.
CUTOUT = Output(name="cutout")
#: The usual main picture of a marketplace: white, square, 85 % filled.
MAIN = Output(name="main", background="#ffffff", format="jpeg", size=2000, fill=0.85)


def _default_outputs(validated: dict[str, Any]) -> tuple[Output, ...]:
    return (CUTOUT,) if Step.MATTING in validated.get("steps", ()) else ()


class Job(_Frozen):
    """One message on exchange `packshot`, routing key `job.submit`."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {
                "properties": {"steps": {"not": {"contains": {"const": Step.MATTING.value}}}},
                "required": ["steps"],
            },
            "then": {"properties": {"outputs": {"maxItems": 0}}},
        }
    )

    version: Literal[1]
    source: Annotated[str, Field(min_length=1, max_length=64, pattern=_SOURCE)]
    job_id: Annotated[_Line, Field(min_length=1, max_length=256)]
    image: Image
    sku: Annotated[_Line, Field(max_length=128)] = ""
    steps: tuple[Step, ...] = Field(
        default=OPTIONAL_STEPS,
        json_schema_extra={
            "items": {"enum": [step.value for step in OPTIONAL_STEPS]},
            "uniqueItems": True,
        },
    )
    lane: Lane = Lane.BULK
    outputs: Annotated[tuple[Output, ...], Field(max_length=MAX_OUTPUTS)] = Field(
        default_factory=_default_outputs
    )
    review: Literal["auto", "always", "never"] = "auto"
    expect_text: bool = False
    metadata: Annotated[dict[str, JsonValue], AfterValidator(storable)] = Field(
        default_factory=dict
    )
    traceparent: Annotated[_Line, Field(max_length=64)] | None = None

    @field_validator("version", mode="before")
    @classmethod
    def _is_a_number(cls, value: Any) -> Any:
        if isinstance(value, bool):
            # In Python `True == 1`.
            raise ValueError("Input should be 1")  # noqa: TRY004 - pydantic reads ValueError
        return value

    @field_validator("steps")
    @classmethod
    def _are_optional_steps(cls, value: tuple[Step, ...]) -> tuple[Step, ...]:
        if len(set(value)) != len(value) or not set(value) <= set(OPTIONAL_STEPS):
            raise ValueError("name each of ocr, recognition, matting at most once")
        return tuple(step for step in OPTIONAL_STEPS if step in value)

    @model_validator(mode="after")
    def _outputs_are_possible(self) -> Self:
        names = [output.name for output in self.outputs]
        if len(set(names)) != len(names):
            raise ValueError("two outputs have the same name")
        if self.outputs and Step.MATTING not in self.steps:
            raise ValueError("outputs need the matting step")
        return self

    @classmethod
    def parse(cls, body: bytes | str) -> "Job":
        """Read a message body. Raises `InvalidMessage` that says what is wrong in one sentence.

        Reading is strict: `"64"` is no number and `1` no truth value.
        """
        size = len(body.encode("utf-8", "replace") if isinstance(body, str) else body)
        if size > MAX_MESSAGE_BYTES:
            raise InvalidMessage(
                f"The message has {size:,} bytes, the limit is {MAX_MESSAGE_BYTES:,}: "
                "put the picture into the object store and send its name."
            )
        try:
            job = cls.model_validate_json(body, strict=True)
            names_once(body)
        except ValidationError as error:
            raise InvalidMessage(_explain(error)) from error
        except ValueError as error:
            raise InvalidMessage(f"{error}.") from error
        return job

    @property
    def chain(self) -> tuple[Step, ...]:
        """Every step of this job, in order."""
        return (Step.PREPARE, *self.steps, Step.FINISH)

    def after(self, step: Step) -> Step | None:
        """The step behind `step`; None behind the last one."""
        chain = self.chain
        return next(iter(chain[chain.index(step) + 1 :]), None)

    @property
    def wanted(self) -> tuple[Output, ...]:
        """The pictures to render; none without a matte."""
        return self.outputs if Step.MATTING in self.steps else ()

    @classmethod
    def kept(cls, request: dict[str, Any]) -> Self:
        """Read a job that the ledger keeps: fields of a later release are passed over.

        A producer's own message is held to the contract, where an unknown field is an error.
        """
        return cls.model_validate(request, extra="ignore")

    def digest(self) -> str:
        """SHA-256 (hex) of what was asked for: equal for a repeated message, other for a conflict.

        The trace context is left out: a producer that sends again does so in a new trace. A field
        that a later release brings has to be left out too while it has its default: the ledger
        keeps digests, and a message repeated across an upgrade would be taken for a conflict.
        """
        content = self.model_dump(mode="json", exclude={"traceparent"})
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class EventType(StrEnum):
    """What happened to a job; also the routing key of the event."""

    ACCEPTED = "job.accepted"
    REVIEW_REQUESTED = "job.review_requested"
    REVIEWED = "job.reviewed"
    FAILED = "job.failed"
    REJECTED = "job.rejected"


class Event(_Frozen):
    """A CloudEvents 1.0 event in structured JSON.

    Events are delivered at least once; a consumer de-duplicates on `id`, which never changes.
    Unknown attributes are passed over, so that a consumer may be older than the workers.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: EventType
    subject: str | None = None
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    data: dict[str, Any]
    traceparent: str | None = None

    @classmethod
    def of(
        cls,
        kind: EventType,
        *,
        event_id: str,
        job: Job | None,
        at: datetime,
        data: dict[str, Any],
        traceparent: str | None = None,
    ) -> "Event":
        """Build the event of one job; `job` is None where the message could not be read.

        `traceparent` is the span that the event comes from; without one it is the producer's own.
        """
        return cls(
            id=event_id,
            source="/packshot",
            type=kind,
            subject=f"{job.source}/{job.job_id}" if job else None,
            time=at,
            data=data,
            traceparent=traceparent or (job.traceparent if job else None),
        )


def queue_name(step: Step, lane: Lane) -> str:
    """The queue of one stage and lane; also its routing key.

    Celery's delayed delivery binds `#.<routing key>`, so no key may be a dotted suffix of another.
    """
    return f"packshot.{step}.{lane}"


def task_name(step: Step) -> str:
    """The wire name of a stage's task; module paths never reach the wire."""
    return f"packshot.{step}"


def _explain(error: ValidationError) -> str:
    found = [
        problem
        for problem in error.errors(include_url=False, include_input=False)
        if problem["type"] != "default_factory_not_called"  # follows from another problem
    ]
    problems = []
    for problem in found[:_TOLD_PROBLEMS]:
        where = escaped(".".join(str(part) for part in problem["loc"]), _TOLD_PATH) or "message"
        pattern = problem.get("ctx", {}).get("pattern", "")
        sentence = _SENTENCES.get(pattern, problem["msg"].removeprefix("Value error, "))
        problems.append(f"{where}: {sentence}")
    more = len(found) - len(problems)
    return "; ".join(problems) + (f"; and {more} more" if more > 0 else "") + "."
