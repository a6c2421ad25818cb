"""Pictures out of the object store: sealed links, for the person whom they were made for."""

from fastapi import APIRouter, Response

from packshot.console.visitor import SiteOf, Viewing

router = APIRouter(include_in_schema=False)

#: A picture is no page: nothing in it may run, whatever a browser takes it for.
_HEADERS = {
    "content-security-policy": "default-src 'none'; sandbox",
    "cache-control": "private, max-age=1800, immutable",
}


@router.get("/pictures/{path:path}")
def picture(path: str, who: Viewing, site: SiteOf) -> Response:
    """One view of one object."""
    key, view = site.seals.opened(str(who.person.id), path)
    data, media_type = site.pictures.picture(key, view)
    return Response(data, media_type=media_type, headers=_HEADERS)
