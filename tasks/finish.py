"""finish: render the pictures, measure them, and decide where the job goes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packshot.contract import Output, Step, Template
from packshot.imaging.compose import Rendered, is_cutout, render, subject_fill
from packshot.imaging.decode import decode
from packshot.imaging.encode import EXTENSIONS, MEDIA_TYPES, encode
from packshot.imaging.naming import output_key
from packshot.imaging.stored import load_rgba
from packshot.results import Finished, Matte, Picture, Recognition, TextResult
from packshot.routing import Evidence, Route, decide
from packshot.store.ledger import Artifact, Settlement
from packshot.store.tables import JobStatus
from packshot.summary import document, event_data, reviewed_data, reviewed_document
from tasks.stage import Found, Stage, Work


def finish(work: Work) -> Found:
    """Render every output from the cut-out; the result, route and event go in one commit."""
    found = Evidence(
        prepared=work.prepared(),
        text=work.result(Step.OCR, TextResult),
        recognition=work.result(Step.RECOGNITION, Recognition),
        matte=work.result(Step.MATTING, Matte),
    )
    rendered = [_render(work, output, found.matte) for output in work.job.wanted if found.matte]
    pictures = tuple(picture for picture, _ in rendered)
    # Nothing comes after this step. A job of the same photo reads them again, which is rare.
    work.let_go(found.prepared.work_key)
    if found.matte:
        work.let_go(found.matte.cutout_key)
    policy = work.services.policy.current()
    route = decide(work.ticket.id, work.job, found, policy)
    if review := work.ticket.correction:
        route = replace(route, to="accepted", reasons=())
    result = Finished(pictures=pictures, route=route.to, reasons=route.reasons)
    settlement = _settlement(found, result, route)
    return Found(
        result,
        confidence=route.confidence,
        artifacts=tuple(artifact for _, artifact in rendered),
        settlement=_reviewed(settlement, review) if review else settlement,
    )


def _reviewed(end: Settlement, review: Mapping[str, Any]) -> Settlement:
    """A person has decided: the event says what, and the result says what is theirs."""
    result = reviewed_document(end.result, review)
    return replace(end, result=result, event=reviewed_data(result, review), reviewed=True)


def _render(work: Work, output: Output, matte: Matte) -> tuple[Picture, Artifact]:
    image, data = _picture(work, output, matte)
    key = output_key(
        work.ticket.created_at,
        work.job.sku,
        work.prepared().filename,
        output.name,
        EXTENSIONS[output.format],
        work.ticket.id.hex[-8:],
    )
    artifact = work.store_once(output.name, key, data, MEDIA_TYPES[output.format])
    height, width = image.image.shape[:2]
    picture = Picture(
        name=output.name,
        key=artifact.key,
        format=output.format,
        width=width,
        height=height,
        bytes=len(data),
        sha256=artifact.sha256,
        fill=image.fill,
        background=output.background if isinstance(output.background, str) else None,
    )
    return picture, artifact


def _picture(work: Work, output: Output, matte: Matte) -> tuple[Rendered, bytes]:
    """The picture and its file; the plain cut-out is stored already and not made twice."""
    cutout = _cutout(work, matte)
    if output.format == "png" and is_cutout(output):
        fill = subject_fill(cutout[..., 3])
        if fill is not None:
            return Rendered(cutout, fill), work.file(matte.cutout_key)
    image = render(cutout, output, _template(work, output))
    return image, encode(image.image, output.format, output.quality)


def _cutout(work: Work, matte: Matte) -> NDArray[np.uint8]:
    held = work.services.pixels.get(matte.cutout_key)
    if held is None:
        held = load_rgba(work.services.blobs.get(matte.cutout_key))
        work.services.pixels.put(matte.cutout_key, held)
    return held


def _template(work: Work, output: Output) -> NDArray[np.uint8] | None:
    if not isinstance(output.background, Template):
        return None
    data = work.services.fetcher.fetch(output.background.uri).data
    return decode(data, work.services.limits).rgb


def _settlement(found: Evidence, result: Finished, route: Route) -> Settlement:
    return Settlement(
        status=JobStatus.ACCEPTED if route.to == "accepted" else JobStatus.REVIEW,
        result=document(found, result, route),
        reasons=tuple(one.model_dump(mode="json", exclude_none=True) for one in route.reasons),
        confidence=route.confidence,
        audit_probability=route.audit,
        event=event_data(found, result.pictures, route),
        policy=route.policy,
        due_in=route.due_in,
    )


STAGE = Stage(Step.FINISH, Finished, finish)
