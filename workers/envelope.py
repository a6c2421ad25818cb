"""The one form that a message on a stage's queue has: checked before Celery reads it.

Celery 5.7.0 trusts its messages. What it cannot read ends the process, or is acknowledged and lost,
or stays unanswered (arguments that are no mapping, a broken chain): in a thread pool such a message
keeps its place in the prefetch window, and two of them stop a queue for good. Only Packshot writes
to these queues, so its own form is the only one that is let in.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from packshot.contract import Lane, Step, task_name
from packshot.errors import InvalidMessage
from packshot.jsontext import escaped

#: Wire names of the tasks.
_TASKS = {task_name(step): step for step in Step}
#: Problems of one message that the log tells of, and characters of each.
_TOLD, _TOLD_CHARS = 3, 200


def _ours(name: str) -> str:
    if name not in _TASKS:
        raise ValueError("not a task of ours")
    return name


#: Header in which the broker counts how often a message was dead-lettered.
DEATHS = "x-death"

_Task = Annotated[str, AfterValidator(_ours)]
_Name = Annotated[str, Field(max_length=255)]
_None = Annotated[list[Any], Field(max_length=0)]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")

    job: UUID
    step: Step
    lane: Lane


class _Hop(BaseModel):
    """A later step of the chain, as Celery writes it."""

    task: _Task
    positional: Annotated[_None, Field(alias="args")]
    named: Annotated[_Arguments, Field(alias="kwargs")]
    options: dict[str, Any]


class _Embedded(BaseModel):
    chain: list[_Hop] | None = None
    callbacks: None = None
    errbacks: None = None
    chord: None = None


class _Death(BaseModel):
    """One line of what the broker remembers of a message that was dead-lettered before."""

    queue: str
    reason: str
    count: int


class _Deaths(BaseModel):
    deaths: Annotated[list[_Death] | None, Field(alias=DEATHS)] = None


class _Headers(_Deaths):
    """The headers that Celery acts on; there may be others."""

    task: _Task
    id: Annotated[_Name, Field(min_length=1)]
    root_id: _Name | None = None
    parent_id: _Name | None = None
    origin: _Name | None = None
    shadow: _Name | None = None
    argsrepr: str | None = None
    kwargsrepr: str | None = None
    group: None = None
    group_index: None = None
    compression: None = None
    timelimit: Annotated[list[None], Field(max_length=2)] | None = None
    retries: Annotated[int, Field(ge=0)] | None = None
    replaced_task_nesting: int | None = None
    ignore_result: bool | None = None
    stamps: dict[str, Any] | None = None
    stamped_headers: list[str] | None = None


class _Envelope(BaseModel):
    content_type: Literal["application/json"]
    content_encoding: Literal["utf-8"]
    headers: _Headers


_BODY: TypeAdapter[tuple[_None, _Arguments, _Embedded]] = TypeAdapter(
    tuple[_None, _Arguments, _Embedded]
)


def check(message: Any) -> None:
    """Check a kombu message. Raises `InvalidMessage` that says what is wrong with it."""
    try:
        envelope = _Envelope.model_validate(
            {
                "content_type": message.content_type,
                "content_encoding": message.content_encoding,
                "headers": message.headers,
            },
            strict=True,
        )
        _args, named, _embedded = _BODY.validate_json(message.body, strict=True)
    except ValidationError as error:
        raise InvalidMessage(_explain(error)) from error
    if _TASKS[envelope.headers.task] is not named.step:
        raise InvalidMessage(f"Task {envelope.headers.task} cannot run step {named.step}.")


def breaks_dead_lettering(message: Any) -> bool:
    """Whether the broker must not be asked to dead-letter this message.

    RabbitMQ 3.10 reads `x-death` on the way, and dies of one that it has not written itself: the
    process that dead-letters is restarted, dies again, and takes that of every other queue with it.
    """
    try:
        _Deaths.model_validate(message.headers or {}, strict=True)
    except ValidationError:
        return True
    return False


def _explain(error: ValidationError) -> str:
    told = [
        f"{'.'.join(map(str, one['loc']))}: {one['msg']}"[:_TOLD_CHARS]
        for one in error.errors(include_url=False, include_input=False)[:_TOLD]
    ]
    return escaped("; ".join(told), _TOLD * _TOLD_CHARS) + "."
