"""Any job: search, and one job with its whole way."""

import json
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from packshot.console.pages import page
from packshot.console.visitor import Reviewing, SiteOf, Viewing
from packshot.store.review_items import Restart
from packshot.store.search import Query as JobQuery
from packshot.store.tables import JobStatus

router = APIRouter(include_in_schema=False)


@router.get("/jobs")
def jobs(
    request: Request,
    who: Viewing,
    site: SiteOf,
    q: Annotated[str, Query(max_length=256)] = "",
    sku: Annotated[str, Query(max_length=128)] = "",
    source: Annotated[str, Query(max_length=64)] = "",
    status: Annotated[str, Query(max_length=16)] = "",
    after: Annotated[str | None, Query(max_length=512)] = None,
) -> Response:
    """Search over all jobs."""
    known = status if status in tuple(JobStatus) else ""
    found, further = site.search.page(JobQuery(q, sku, source, known), after=after)
    return page(
        request,
        "jobs.html.j2",
        who,
        found=found,
        further=further,
        asked={"q": q, "sku": sku, "source": source, "status": known},
        statuses=tuple(JobStatus),
    )


@router.get("/jobs/{job}")
def job(request: Request, job: UUID, who: Viewing, site: SiteOf) -> Response:
    """One job: steps, attempts, timings, models, pictures, events."""
    found = site.views.by_id(job)
    return page(
        request,
        "job.html.j2",
        who,
        job=found,
        items=site.reviews.of_job(job),
        names=site.people.names(),
        request_text=found.request.model_dump_json(indent=2),
        events=[(one, json.dumps(one, indent=2, ensure_ascii=False)) for one in found.events],
        result_text=json.dumps(_short(found.result), indent=2, ensure_ascii=False),
    )


@router.post("/jobs/{job}/retry")
def retry(job: UUID, who: Reviewing, site: SiteOf) -> Response:
    """Resume a failed or cancelled job at its first unfinished step."""
    found = site.views.by_id(job)
    row, request, step = site.ledger.retry(found.source, found.job_id, by=who.person)
    site.restart(Restart(row, request, step))
    return RedirectResponse(f"/jobs/{job}", 303)


@router.post("/jobs/{job}/cancel")
def cancel(job: UUID, who: Reviewing, site: SiteOf) -> Response:
    """Stop a job before its next step."""
    found = site.views.by_id(job)
    site.ledger.cancel(found.source, found.job_id, by=who.person)
    return RedirectResponse(f"/jobs/{job}", 303)


def _short(result: dict[str, object] | None) -> dict[str, object] | None:
    """The result without the embedding, which nobody reads."""
    if not result or not isinstance(result.get("recognition"), dict):
        return result
    recognition = result["recognition"]
    assert isinstance(recognition, dict)  # noqa: S101 - checked above
    return {**result, "recognition": {**recognition, "embedding": "…"}}
