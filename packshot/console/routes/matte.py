"""The matte editor: its page, and what it asks the server for."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from packshot.console.dossier import Dossier
from packshot.console.pages import page
from packshot.console.retouching import Retouching
from packshot.console.visitor import Reviewing, SiteOf, site_of
from packshot.console.wishes import WishOf
from packshot.errors import NotFound
from packshot.imaging.decode import Limits
from packshot.results import Prepared
from packshot.store.review_items import Hold

router = APIRouter(tags=["matte"])

#: The widest a photo can be, for offsets into it.
_MAX = 16384


class Kept(BaseModel):
    """A matte that was kept: name it in the correction."""

    key: str
    version: int


async def _body(request: Request) -> bytes:
    return await request.body()


_Body = Annotated[bytes, Depends(_body)]
_Offset = Annotated[int, Query(ge=0, le=_MAX)]


def _retouching(review: UUID, request: Request) -> Retouching:
    site = site_of(request)
    steps = site.views.by_id(site.reviews.get(review).job).steps
    found = next((step.result for step in steps if step.name == "prepare"), None)
    if not found:
        raise NotFound("This job has no photo.")
    return Retouching(site.blobs, Limits(), Prepared.model_validate(found))


_Table = Annotated[Retouching, Depends(_retouching)]


@router.get("/reviews/{review}/matte", include_in_schema=False)
def editor(request: Request, review: UUID, who: Reviewing, site: SiteOf, wish: WishOf) -> Response:
    """The editor's page."""
    item = site.reviews.get(review)
    dossier = Dossier.of(item, site.views.by_id(item.job), site.reviews.of_job(item.job))
    if dossier.photo is None or dossier.matte is None:
        raise NotFound("This job has no matte to edit.")
    return page(request, "matte.html.j2", who, item=item, dossier=dossier, wish=wish)


@router.post("/api/v1/reviews/{review}/matte", openapi_extra={"x-body": "image/png"})
def keep(
    review: UUID,
    table: _Table,
    who: Reviewing,
    site: SiteOf,
    body: _Body,
    token: UUID,
    version: int,
) -> Kept:
    """Keep a matte as a new version; nothing is overwritten. The body is a grey PNG."""
    del who
    artifact = table.keep(body)
    return Kept(
        key=artifact.key, version=site.reviews.keep_matte(Hold(review, token, version), artifact)
    )


@router.post("/api/v1/reviews/{review}/matte/recompute", response_class=Response)
def recompute(
    table: _Table, who: Reviewing, body: _Body, left: _Offset = 0, top: _Offset = 0
) -> Response:
    """Solve a part anew: red is alpha, green where to solve; answers with the part's alpha."""
    del who
    return Response(table.recompute(body, left, top), media_type="image/png")


@router.post("/api/v1/reviews/{review}/matte/faults", response_class=Response)
def faults(table: _Table, who: Reviewing, body: _Body) -> Response:
    """Point out halos (red) and leaks (green)."""
    del who
    return Response(table.faults(body), media_type="image/png")
