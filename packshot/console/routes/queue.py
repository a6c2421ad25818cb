"""The queue's page."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from packshot.console.pages import page
from packshot.console.visitor import Reviewing, SiteOf, Viewing
from packshot.console.wishes import WishOf

router = APIRouter(include_in_schema=False)

#: Items on one page.
PAGE_SIZE = 50


@router.get("/queue")
def queue(
    request: Request,
    who: Viewing,
    site: SiteOf,
    wish: WishOf,
    after: Annotated[str | None, Query(max_length=512)] = None,
) -> Response:
    """Items in order of urgency."""
    filters = wish.filters(who.person)
    found = site.reviews.page(filters, after=after, limit=PAGE_SIZE)
    return page(
        request,
        "queue.html.j2",
        who,
        found=found,
        after=after,
        count=site.reviews.count(filters),
        facets=site.reviews.facets(),
        names=site.people.names(),
        wish=wish,
    )


@router.get("/queue/next")
def start(who: Reviewing, site: SiteOf, wish: WishOf) -> Response:
    """The page of the most urgent item that is free, or the queue where there is none.

    Nothing is claimed here: a GET may come from a browser that looks ahead. The page claims.
    """
    found = site.reviews.page(wish.offer(who.person), limit=1)
    if not found.items:
        return RedirectResponse("/queue" + wish.query(), 303)
    return RedirectResponse(f"/reviews/{found.items[0].id}" + wish.query(), 303)
