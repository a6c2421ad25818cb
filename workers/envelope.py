"""The one form that a message on a stage's queue has: checked before Celery reads it.

Celery trusts its messages. What it cannot read ends the process, is acknowledged and lost, or (wrong
arguments in the body) stays unanswered in a thread pool and holds its place in the prefetch window
until the worker stands still. Only Packshot writes to these queues, so its own form is the only one
that is let in.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    TypeAdapter,
)
from pydantic.types import UUID

from packshot.contract import Lane, Step, task_name

#: Step of each task by its wire name.
_STEPS = {task_name(step): step for step in Step}
#: Problems of one message that the log tells of, and their length in characters.
_TOLD, _TOLD_CHARS = 3, 300

_Nothing = Annotated[list[None], Field(max_length=0)]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    job: UUID
    step: Step
    lane: Lane


class _Hop(BaseModel):
    """A later task of the chain, as Celery writes a signature."""

    model_config = ConfigDict(strict=True)

    task: Annotated[str, Field(pattern=rf"^({'|'.join(_STEPS)})$".replace(".", r"\."))]
    args: _Nothing
    kwargs: _Arguments
    options: dict[str, Any]


class _Embedded(BaseModel):
    model_config = ConfigDict(strict=True)

    chain: list[_Hop] | None = None
    callbacks: None = None
    errbacks: None = None
    chord: None = None


class _Headers(BaseModel):
    """The headers that Celery acts on; others may be there."""

    model_config = ConfigDict(strict=True)

    task: StrictStr
    id: Annotated[StrictStr, Field(min_length=1, max_length=255)]
    root_id: StrictStr | None = None
    parent_id: StrictStr | None = None
    origin: StrictStr | None = None
    shadow: StrictStr | None = None
    group: None = None
    retries: Annotated[StrictInt, Field(ge=0)] = 0
    timelimit: tuple[None, None] | list[None] | None = None
    replaced_task_nesting: StrictInt = 0
    stamps: dict[str, Any] | None = None
    stamped_headers: list[str] | None = None
    compression: None = None


class _Properties(BaseModel):
    content_type: Literal["application/json"]
    content_encoding: Literal["utf-8"]


_BODY: TypeAdapter[tuple[_Nothing, _Arguments, _Embedded]] = TypeAdapter(
    tuple[_Nothing, _Arguments, _Embedded]
)
