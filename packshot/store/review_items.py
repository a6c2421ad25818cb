"""What goes into the review queue and what comes out of it: frozen values, no rows."""

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from packshot.contract import Job, Lane, Step
from packshot.errors import InvalidDecision, Refused
from packshot.results import Category, Point, Signal

#: Counts above this are not counted out: the queue page must cost the same however full it is.
COUNT_LIMIT = 1000

#: No control characters but the line's own content: what a reviewer types goes into events.
_LINE = r"^[^\x00-\x1f\x7f]*$"


class ReviewStatus(StrEnum):
    """Where an item of the queue is. `decided` is final."""

    OPEN = "open"
    CLAIMED = "claimed"
    DECIDED = "decided"


class Decision(StrEnum):
    """What a person said. The first two end the job as accepted, the others as rejected."""

    APPROVED = "approved"  # everything is right as it is
    CORRECTED = "corrected"  # something was wrong and has been put right
    REJECTED = "rejected"  # nothing can be made of this photo
    SENT_BACK = "sent_back"  # the producer should send another photo


class RejectReason(StrEnum):
    """Why an item is rejected or sent back; stable codes for the producer's automation."""

    NOT_A_PRODUCT = "not_a_product"
    WRONG_PRODUCT = "wrong_product"
    UNUSABLE_PHOTO = "unusable_photo"
    CROPPED = "cropped"
    FORBIDDEN_CONTENT = "forbidden_content"
    DUPLICATE = "duplicate"
    OTHER = "other"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CorrectedLine(_Frozen):
    """One line of text as a person reads it; `polygon` in pixels of the working image."""

    polygon: tuple[Point, Point, Point, Point]
    text: Annotated[str, Field(min_length=1, max_length=2000, pattern=_LINE)]
    script: Annotated[str, Field(max_length=16)] = "human"
    vertical: bool = False


class PickedCategory(_Frozen):
    """A class that a person picked out of the classifier's list."""

    id: Annotated[int, Field(ge=0)]
    en: Annotated[str, Field(min_length=1, max_length=200)]
    zh: Annotated[str, Field(max_length=200)]
    product: bool


class Correction(_Frozen):
    """What a person put right. Only the fields that are *given* were corrected.

    `Correction(brand=None)` says that there is no brand; `Correction()` says nothing of it. `text`
    is the complete list of lines in reading order, `matte` the name of an alpha matte that
    `Reviews.keep_matte` has taken in (the artifact's key).
    """

    text: tuple[CorrectedLine, ...] | None = None
    category: PickedCategory | None = None
    brand: Annotated[str, Field(max_length=128, pattern=_LINE)] | None = None
    model: Annotated[str, Field(max_length=128, pattern=_LINE)] | None = None
    matte: Annotated[str, Field(min_length=1, max_length=1024)] | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The corrected fields, in the order of the pipeline."""
        return tuple(name for name in type(self).model_fields if name in self.model_fields_set)

    def given(self) -> dict[str, Any]:
        """The corrected fields as JSON."""
        return self.model_dump(mode="json", exclude_unset=True)


class Ruling(_Frozen):
    """A decision as a person makes it.

    `correction` belongs to CORRECTED alone, `reason` to REJECTED and SENT_BACK; `note` is a
    sentence for the producer. `seconds` is how long the person looked at the item.
    """

    decision: Decision
    correction: Correction | None = None
    reason: RejectReason | None = None
    note: Annotated[str, Field(max_length=2000)] = ""
    seconds: Annotated[float, Field(ge=0)] | None = None

    def check(self) -> None:
        """Raise `InvalidDecision` where the parts contradict each other."""
        corrects = self.decision is Decision.CORRECTED
        if corrects and not (self.correction and self.correction.fields):
            raise InvalidDecision("A correction must name at least one corrected field.")
        if self.correction is not None and not corrects:
            raise InvalidDecision(f"A decision '{self.decision}' cannot carry a correction.")
        refuses = self.decision in {Decision.REJECTED, Decision.SENT_BACK}
        if refuses != (self.reason is not None):
            raise InvalidDecision(
                "Say why: pick a reason."
                if refuses
                else f"A decision '{self.decision}' has no reason to give."
            )


@dataclass(frozen=True, slots=True)
class Filters:
    """Which items of the queue; every filter that is given must hold."""

    reason: str | None = None
    lane: Lane | None = None
    category: int | None = None
    sku: str | None = None
    source: str | None = None
    older_than: timedelta | None = None
    younger_than: timedelta | None = None
    confidence_from: float | None = None
    confidence_below: float | None = None
    #: Items that one person holds; without it those that nobody holds.
    held_by: UUID | None = None
    #: With the items that anybody holds, for leads who look at everything.
    with_held: bool = False
    #: Without the items that this person has skipped lately: what they are offered next.
    offered_to: UUID | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the queue, with what the list shows of its job."""

    id: UUID
    job: UUID
    status: ReviewStatus
    version: int
    lane: Lane
    source: str
    job_id: str
    sku: str
    reasons: tuple[Signal, ...]
    confidence: float | None
    category: Category | None
    #: Key of the photo in the object store, where it was kept: `Prepared.work_key`.
    photo: str | None
    #: Key of the cut-out, where there is a matte.
    cutout: str | None
    created_at: datetime
    due_at: datetime
    policy: str | None
    holder: UUID | None = None
    lease_until: datetime | None = None
    decided_at: datetime | None = None
    decided_by: UUID | None = None
    decision: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """What a page keeps while a person works on an item: who comes without it is refused."""

    review: UUID
    token: UUID
    version: int


@dataclass(frozen=True, slots=True)
class Claim:
    """An item that is leased to one reviewer until `until`, unless renewed."""

    item: Item
    hold: Hold
    until: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some items in order of urgency; `next` continues behind them, None at the end."""

    items: tuple[Item, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many: exact up to `COUNT_LIMIT`, "at least" where `more` is True."""

    number: int
    more: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One value that a filter can take and how many open items have it."""

    value: str
    label: str
    label_zh: str
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """Exact counts over the whole queue, at most some seconds old."""

    open: int
    claimed: int
    reasons: tuple[Facet, ...] = ()
    lanes: tuple[Facet, ...] = ()
    sources: tuple[Facet, ...] = ()
    categories: tuple[Facet, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Restart:
    """A job that has to be published again, because a person corrected it."""

    id: UUID
    job: Job
    step: Step


@dataclass(frozen=True, slots=True)
class Decided:
    """Answer to `decide`. `restart` is what the caller publishes after a correction."""

    item: Item
    restart: Restart | None = None


@dataclass(frozen=True, slots=True)
class BulkResult:
    """Answer to `accept_all`: what was accepted, and for the others the error's code."""

    accepted: tuple[UUID, ...]
    refused: dict[UUID, str] = field(default_factory=dict)


def encode_cursor(priority: int, due_at: datetime, row: UUID) -> str:
    """A position in the queue as opaque text for a link."""
    text = json.dumps([priority, due_at.isoformat(), row.hex])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[int, datetime, UUID]:
    """Read a position back. Raises `Refused` for text that is none."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        priority, due_at, row = json.loads(raw)
        return int(priority), datetime.fromisoformat(due_at), UUID(row)
    except (ValueError, TypeError, binascii.Error) as error:
        raise Refused("This is no position in the queue: start at its head.") from error
