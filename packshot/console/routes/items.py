"""One item: everything a person needs to decide it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from packshot.console.dossier import Dossier
from packshot.console.pages import page
from packshot.console.visitor import Reviewing, SiteOf, Viewing, Visitor
from packshot.console.wishes import Wish, WishOf
from packshot.store.persons import Role
from packshot.store.review_items import Item, RejectReason

router = APIRouter(include_in_schema=False)

#: Items that are looked at to find one that was not passed over.
_AHEAD = 30


@router.get("/reviews/{review}")
def item(request: Request, review: UUID, who: Viewing, site: SiteOf, wish: WishOf) -> Response:
    """The page of an item. It claims it by itself, where the person may."""
    return _page(request, site.reviews.get(review), who, site, wish)


@router.get("/queue/ahead")
def ahead(
    request: Request,
    who: Reviewing,
    site: SiteOf,
    wish: WishOf,
    without: Annotated[str, Query(max_length=4096)] = "",
) -> Response:
    """The page of the next free item that is not among `without`, to be shown at once. Or 204."""
    passed = set(without.split(","))
    found = site.reviews.page(wish.offer(who.person), limit=_AHEAD)
    following = next((one for one in found.items if str(one.id) not in passed), None)
    if following is None:
        return Response(status_code=204)
    return _page(request, following, who, site, wish)


def _page(request: Request, item: Item, who: Visitor, site: Any, wish: Wish) -> Response:
    dossier = Dossier.of(item, site.views.by_id(item.job), site.reviews.of_job(item.job))
    people = site.people.list()
    return page(
        request,
        "item.html.j2",
        who,
        item=item,
        dossier=dossier,
        names={one.id: one.name for one in people},
        reviewers=[one for one in people if one.may(Role.REVIEWER)],
        reasons=tuple(RejectReason),
        wish=wish,
    )
