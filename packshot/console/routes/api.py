"""The REST API: the queue, claims and decisions for programs, and for the console's own pages.

Everything needs a session, or a token as `Authorization: Bearer ...`.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from packshot.console.visitor import Leading, Reviewing, SiteOf, Viewing
from packshot.console.wishes import WishOf
from packshot.contract import Lane
from packshot.errors import NotFound
from packshot.results import Category, Signal
from packshot.store.persons import Role
from packshot.store.review_items import Decided, Hold, Item, ReviewStatus, Ruling
from packshot.store.search import Query as JobQuery
from packshot.store.views import JobView

router = APIRouter(prefix="/api/v1", tags=["review"])

#: Items that one bulk request may accept.
MAX_BULK = 200


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True, frozen=True)


class Me(_Answer):
    """Who is signed in."""

    login: str
    name: str
    role: Role


class ItemAnswer(_Answer):
    """One item of the queue."""

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
    created_at: datetime
    due_at: datetime
    policy: str | None
    holder: UUID | None
    lease_until: datetime | None
    decided_at: datetime | None
    decided_by: UUID | None
    decision: dict[str, Any] | None


class PageAnswer(_Answer):
    """Some items in order of urgency; `next` continues behind them."""

    items: tuple[ItemAnswer, ...]
    next: str | None


class HoldBody(BaseModel):
    """What a claim gave out: proof that the sender holds the item."""

    model_config = ConfigDict(extra="forbid")

    token: UUID
    version: Annotated[int, Field(ge=0)]

    def hold(self, review: UUID) -> Hold:
        """As the store wants it."""
        return Hold(review, self.token, self.version)


class ClaimAnswer(_Answer):
    """A claimed item. Renew it before `until`; decide it with `token` and `version`."""

    item: ItemAnswer
    token: UUID
    version: int
    until: datetime


class Until(_Answer):
    """Until when the claim holds now."""

    until: datetime


class Released(_Answer):
    """Whether the item was still ours to release."""

    released: bool


class DecideBody(HoldBody):
    """A decision with the claim that allows it."""

    ruling: Ruling


class BulkItem(BaseModel):
    """One item of a bulk accept, as it was seen."""

    id: UUID
    version: int


class BulkBody(BaseModel):
    """Items to accept as they are."""

    items: Annotated[list[BulkItem], Field(min_length=1, max_length=MAX_BULK)]


class BulkAnswer(_Answer):
    """What was accepted; for the others the error's code."""

    accepted: tuple[UUID, ...]
    refused: dict[UUID, str]


class ReassignBody(BaseModel):
    """The login of whoever shall have the item; null puts it back into the queue."""

    login: str | None


class JobsAnswer(_Answer):
    """Some jobs, newest first; `next` continues behind them."""

    jobs: tuple[dict[str, Any], ...]
    next: str | None


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request, who: Viewing) -> dict[str, Any]:
    """This API's description."""
    del who
    description: dict[str, Any] = request.app.openapi()
    return description


@router.get("/me")
def me(who: Viewing) -> Me:
    """Who is signed in."""
    return Me.model_validate(who.person)


@router.get("/reviews")
def listed(
    who: Viewing,
    site: SiteOf,
    wish: WishOf,
    after: Annotated[str | None, Query(max_length=512)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> PageAnswer:
    """The queue in order of urgency."""
    found = site.reviews.page(wish.filters(who.person), after=after, limit=limit)
    return PageAnswer.model_validate(found)


@router.post("/reviews/claim-next")
def claim_next(who: Reviewing, site: SiteOf, wish: WishOf) -> ClaimAnswer:
    """Claim the most urgent item that nobody holds. 404 when there is none."""
    claim = site.reviews.claim_next(who.person, wish.filters(who.person))
    if claim is None:
        raise NotFound("Nothing is waiting.")
    return _claimed(claim.item, claim.hold, claim.until)


@router.post("/reviews/accept")
def accept(body: BulkBody, who: Reviewing, site: SiteOf) -> BulkAnswer:
    """Accept several items as they are, each in a transaction of its own."""
    wanted = [(one.id, one.version) for one in body.items]
    return BulkAnswer.model_validate(
        site.reviews.accept_all(wanted, who.person, least=site.bulk_role())
    )


@router.get("/reviews/{review}")
def item(review: UUID, who: Viewing, site: SiteOf) -> ItemAnswer:
    """One item."""
    del who
    return ItemAnswer.model_validate(site.reviews.get(review))


@router.get("/reviews/{review}/alike")
def alike(review: UUID, who: Reviewing, site: SiteOf) -> tuple[ItemAnswer, ...]:
    """Items that are here for the same reasons, of the same source and category."""
    del who
    found = site.reviews.alike(review)
    return tuple(ItemAnswer.model_validate(one) for one in found)


@router.post("/reviews/{review}/claim")
def claim(review: UUID, who: Reviewing, site: SiteOf) -> ClaimAnswer:
    """Claim an item; whoever holds it already gets a new token."""
    found = site.reviews.claim(review, who.person)
    return _claimed(found.item, found.hold, found.until)


@router.post("/reviews/{review}/renew")
def renew(review: UUID, body: HoldBody, who: Reviewing, site: SiteOf) -> Until:
    """Prolong a claim."""
    del who
    return Until(until=site.reviews.renew(body.hold(review)))


@router.post("/reviews/{review}/release")
def release(
    review: UUID,
    who: Reviewing,
    site: SiteOf,
    token: Annotated[UUID, Form()],
    version: Annotated[int, Form()],
) -> Released:
    """Give an item back. A form and not JSON: a closing page can send nothing else."""
    del who
    return Released(released=site.reviews.release(Hold(review, token, version)))


@router.post("/reviews/{review}/skip")
def skip(review: UUID, body: HoldBody, who: Reviewing, site: SiteOf) -> Released:
    """Give an item back and do not offer it to this person again for a while."""
    site.reviews.skip(body.hold(review), who.person)
    return Released(released=True)


@router.post("/reviews/{review}/decide")
def decide(review: UUID, body: DecideBody, who: Reviewing, site: SiteOf) -> ItemAnswer:
    """Decide an item, once. A correction renders every picture again."""
    decided: Decided = site.reviews.decide(body.hold(review), body.ruling, who.person)
    if decided.restart:
        site.restart(decided.restart)
    return ItemAnswer.model_validate(decided.item)


@router.post("/reviews/{review}/reassign")
def reassign(review: UUID, body: ReassignBody, who: Leading, site: SiteOf) -> ItemAnswer:
    """Give an item to somebody, whoever holds it."""
    to = site.people.get(body.login) if body.login else None
    return ItemAnswer.model_validate(site.reviews.reassign(review, to, who.person))


@router.get("/categories")
def categories(
    who: Viewing, site: SiteOf, q: Annotated[str, Query(max_length=100)] = ""
) -> tuple[dict[str, Any], ...]:
    """Categories whose Chinese or English name has every word of `q`."""
    del who
    return tuple(
        one.model_dump(include={"id", "en", "zh", "product"}) for one in site.catalogue.search(q)
    )


@router.get("/brands")
def brands(
    who: Viewing, site: SiteOf, q: Annotated[str, Query(max_length=100)] = ""
) -> tuple[str, ...]:
    """Names of known brands that contain `q`."""
    del who
    wanted = q.casefold()
    return tuple(name for name in site.catalogue.brands if wanted in name.casefold())[:30]


@router.get("/jobs")
def jobs(
    who: Viewing,
    site: SiteOf,
    text: Annotated[str, Query(max_length=256)] = "",
    sku: Annotated[str, Query(max_length=128)] = "",
    source: Annotated[str, Query(max_length=64)] = "",
    status: Annotated[
        Literal["", "queued", "running", "review", "accepted", "failed", "cancelled"], Query()
    ] = "",
    after: Annotated[str | None, Query(max_length=512)] = None,
) -> JobsAnswer:
    """Search over all jobs."""
    del who
    found, further = site.search.page(JobQuery(text, sku, source, status), after=after)
    return JobsAnswer(jobs=tuple(_plain(one) for one in found), next=further)


@router.get("/jobs/{job}")
def job(job: UUID, who: Viewing, site: SiteOf) -> JobView:
    """One job with its whole way."""
    del who
    return site.views.by_id(job)


def _plain(line: Any) -> dict[str, Any]:
    return {name: getattr(line, name) for name in type(line).__slots__}


def _claimed(item: Item, hold: Hold, until: datetime) -> ClaimAnswer:
    return ClaimAnswer(
        item=ItemAnswer.model_validate(item), token=hold.token, version=hold.version, until=until
    )
