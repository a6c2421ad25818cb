"""What the events of a job carry in `data`, as types for consumers written in Python.

    event = Event.model_validate_json(body)
    data = data_of(event)

Fields may be added within contract version 1, so unknown ones are passed over here. The JSON Schema
in docs/schemas is generated from these classes.
"""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue

from packshot.contract import Event, EventType, Step
from packshot.results import Unit


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class JobData(_Data):
    """Which job it is: Packshot's own id, and the producer's names and metadata as sent."""

    id: UUID
    source: str
    job_id: str
    sku: str
    metadata: dict[str, JsonValue]


class PictureData(_Data):
    """One rendered output: its name in the job, its key in the object store, its size in pixels."""

    name: str
    key: str
    format: str
    width: int
    height: int


class CategoryData(_Data):
    """What the product is: a class id, its name in English and Chinese, and how likely it is.

    `product` says whether such a thing is sold as goods.
    """

    id: int
    en: str
    zh: str
    probability: Unit
    product: bool


class ReasonData(_Data):
    """Why a person should look: a code, a sentence, and the numbers that were compared, if any."""

    code: str
    message: str
    field: str | None = None
    value: float | None = None
    threshold: float | None = None


class ResultData(JobData):
    """The short form of a result: `job.accepted` and `job.review_requested`.

    `confidence` is that of the least certain field; None where nothing was measured. `text`,
    `category`, `brand` and `model` are absent where the job leaves their step out.
    """

    status: Literal["accepted", "review"]
    confidence: Unit | None
    pictures: tuple[PictureData, ...]
    reasons: tuple[ReasonData, ...]
    text: tuple[str, ...] | None = None
    category: CategoryData | None = None
    brand: str | None = None
    model: str | None = None


class ReviewedData(JobData):
    """`job.reviewed`: what a person decided, and the short form of the result as it is now.

    `status` is where the job ended. `corrected` names the fields that the person put right; the
    pictures are then rendered anew. `reason` (a code) and `note` (a sentence) say why a photo was
    rejected or sent back. `reviewer` is an id, the same for the same person.
    """

    status: Literal["accepted", "rejected"]
    decision: Literal["approved", "corrected", "rejected", "sent_back"]
    review: UUID
    reviewer: UUID
    corrected: tuple[str, ...] = ()
    reason: str | None = None
    note: str = ""
    confidence: Unit | None
    pictures: tuple[PictureData, ...]
    text: tuple[str, ...] | None = None
    category: CategoryData | None = None
    brand: str | None = None
    model: str | None = None


class FailedData(JobData):
    """`job.failed`: which step failed, the error's code, and a sentence for a person."""

    step: Step
    code: str
    message: str


class RejectedData(_Data):
    """`job.rejected`: why a message never became a job.

    The sender's own names are there as far as they could be read; control characters in them are
    written as escapes and long ones are cut.
    """

    code: str
    message: str
    source: str | None = None
    job_id: str | None = None
    sku: str | None = None


Data = JobData | RejectedData

#: The type of `data` by the type of the event.
DATA: Mapping[EventType, type[Data]] = {
    EventType.ACCEPTED: ResultData,
    EventType.REVIEW_REQUESTED: ResultData,
    EventType.REVIEWED: ReviewedData,
    EventType.FAILED: FailedData,
    EventType.REJECTED: RejectedData,
}


def data_of(event: Event) -> Data:
    """Read an event's data as the type that belongs to it. Raises pydantic's `ValidationError`."""
    return DATA[event.type].model_validate(event.data)
