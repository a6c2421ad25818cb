"""How it goes (everyone), who did what and the corrections as training data (leads)."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from packshot.console.overview import Overview
from packshot.console.pages import page
from packshot.console.visitor import Leading, SiteOf, Viewing

router = APIRouter(include_in_schema=False)

#: Bytes of one part of a download.
_CHUNK = 256 * 1024
Format = Literal["jsonl", "coco", "ppocr", "folders"]


@router.get("/insight")
def insight(
    request: Request,
    who: Viewing,
    site: SiteOf,
    days: Annotated[int, Query(ge=1, le=365)] = 7,
) -> Response:
    """Plots of the last days."""
    since = datetime.now(UTC) - timedelta(days=days)
    chinese = who.words.language == "zh"
    categories = {one.en: one.zh for one in site.catalogue.categories if chinese and one.zh}
    overview = Overview.of(site.insight, site.people.names(), who.words, since, categories)
    return page(request, "insight.html.j2", who, overview=overview, days=days)


@router.get("/audit")
def audit(
    request: Request,
    who: Leading,
    site: SiteOf,
    after: Annotated[str | None, Query(max_length=512)] = None,
) -> Response:
    """Everything that somebody did, newest first."""
    entries, further = site.audit.page(after=after)
    return page(request, "audit.html.j2", who, entries=entries, further=further, after=after)


@router.get("/export")
def export(request: Request, who: Leading) -> Response:
    """What can be downloaded."""
    return page(request, "export.html.j2", who)


@router.get("/export/download")
def download(who: Leading, site: SiteOf, format: Format, since: date | None = None) -> Response:  # noqa: A002
    """The corrections since a day as one zip file."""
    del who
    start = datetime(since.year, since.month, since.day, tzinfo=UTC) if since else None
    folder = Path(tempfile.mkdtemp(prefix="packshot-export-"))
    try:
        site.export(format, folder / "data", start)
        packed = Path(shutil.make_archive(str(folder / "packed"), "zip", folder / "data"))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    name = f"packshot-{format}-{datetime.now(UTC):%Y%m%d}.zip"
    return StreamingResponse(
        _parts(packed, folder),
        media_type="application/zip",
        headers={
            "content-disposition": f'attachment; filename="{name}"',
            "content-length": str(packed.stat().st_size),
        },
    )


def _parts(path: Path, folder: Path) -> Iterator[bytes]:
    """The file in parts; its folder is gone afterwards, also when the reader leaves early."""
    try:
        with path.open("rb") as file:
            while part := file.read(_CHUNK):
                yield part
    finally:
        shutil.rmtree(folder, ignore_errors=True)
