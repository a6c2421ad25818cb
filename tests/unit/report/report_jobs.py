"""Jobs as a run leaves them, made up: for the tests of the report."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np

from packshot.contract import Image, Job
from packshot.errors import NotFound
from packshot.imaging.encode import encode
from packshot.results import (
    Box,
    Category,
    Colour,
    Finding,
    Finished,
    Matte,
    ModelInfo,
    Picture,
    Prepared,
    Quality,
    Recognition,
    Signal,
    TextLine,
    TextResult,
)
from packshot.routing import Evidence, Route
from packshot.store.views import JobView, StepView
from packshot.summary import document

STARTED = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
WIDTH, HEIGHT = 300, 400
MODEL = ModelInfo(name="reader", version="1", sha256="ab" * 32, licence="Apache-2.0")


class Blobs:
    """A store in memory."""

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self._objects = objects

    def get(self, key: str) -> bytes:
        try:
            return self._objects[key]
        except KeyError as error:
            raise NotFound(f"There is no object {key}.") from error


def blobs() -> Blobs:
    """The pictures of every job below."""
    photo = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    photo[..., 0] = np.linspace(0, 255, WIDTH).astype(np.uint8)
    photo[100:300, 75:225] = (20, 120, 220)
    cutout = np.dstack((photo, np.zeros((HEIGHT, WIDTH), np.uint8)))
    cutout[100:300, 75:225, 3] = 255
    return Blobs(
        {
            "photo": encode(photo, "jpeg", 90),
            "cutout": encode(cutout, "png", 90),
            "main": encode(photo, "jpeg", 90),
        }
    )


def text(*lines: str, probability: float = 0.97) -> TextResult:
    """Lines of text under each other."""
    return TextResult(
        lines=tuple(
            TextLine(
                polygon=((30, 40 * at), (200, 40 * at), (200, 40 * at + 30), (30, 40 * at + 30)),
                text=line,
                score=0.99,
                probability=probability,
                script="latin",
            )
            for at, line in enumerate(lines, 1)
        ),
        confidence=probability if lines else None,
        models=(MODEL,),
    )


def recognition(brand: str | None = None, *, confidence: float = 0.9) -> Recognition:
    """A milk carton."""
    return Recognition(
        categories=(
            Category(id=1, en="carton", zh="纸盒", probability=0.8, product=True),
            Category(id=2, en="cinema", zh="电影院", probability=0.1, product=False),
        ),
        embedding="",
        colours=(Colour(hex="#1478dc", en="blue", zh="蓝色", share=0.9),),
        brand=Finding(value=brand, confidence=0.9, rule="lexicon:exact Acme", lines=(0,))
        if brand
        else None,
        model=None,
        confidence=confidence,
    )


def evidence(name: str, found: TextResult | None, seen: Recognition | None) -> Evidence:
    """What the steps found about one photo."""
    quality = Quality(
        sharpness=859, exposure=0.5, clipped_dark=0, clipped_light=0.001, megapixels=0.12
    )
    return Evidence(
        prepared=Prepared(
            sha256="cd" * 32,
            phash="00ff",
            original_key="photo",
            work_key="photo",
            filename=name,
            format="jpeg",
            bytes=12345,
            width=WIDTH,
            height=HEIGHT,
            quality=quality,
        ),
        text=found,
        recognition=seen,
        matte=Matte(
            alpha_key="matte",
            cutout_key="cutout",
            coverage=0.25,
            uncertain=0.02,
            box=Box(left=75, top=100, right=225, bottom=300),
            subjects=1,
            touches=(),
            confidence=0.95,
        ),
    )


def finished_job(
    name: str = "milk.jpg",
    *,
    found: TextResult | None = None,
    seen: Recognition | None = None,
    reasons: tuple[Signal, ...] = (),
    sku: str = "",
) -> JobView:
    """A job with a result; it waits for review when it has reasons to."""
    known = evidence(name, found or text("ACME"), seen or recognition("Acme"))
    picture = Picture(
        name="main",
        key="main",
        format="jpeg",
        width=2000,
        height=2000,
        bytes=54321,
        sha256="ef" * 32,
        fill=0.85,
        background="#ffffff",
    )
    route = Route("review" if reasons else "accepted", reasons, 0.9, None)
    result = document(known, Finished(pictures=(picture,), route=route.to, reasons=reasons), route)
    return job_view(
        name,
        status=route.to,
        result=result,
        sku=sku,
        reasons=[one.model_dump(mode="json", exclude_none=True) for one in reasons],
        steps=(step("prepare", seconds=0.5), step("ocr", seconds=1.5)),
    )


def failed_job(name: str = "torn.jpg", *, message: str = "The file is cut off.") -> JobView:
    """A job whose photo cannot be read."""
    return job_view(
        name,
        status="failed",
        code="corrupt_image",
        message=message,
        steps=(step("prepare", status="failed", code="corrupt_image"),),
    )


def step(name: str, *, status: str = "done", **values: Any) -> StepView:
    """One step of a job."""
    empty: dict[str, Any] = dict.fromkeys(StepView.model_fields)
    given = {"name": name, "status": status, "attempt": 1, "reused": False, **values}
    return StepView.model_validate({**empty, **given})


def job_view(name: str, *, status: str, **values: Any) -> JobView:
    """A job of the folder /photos."""
    empty: dict[str, Any] = {
        "code": None,
        "message": None,
        "reasons": None,
        "result": None,
        "sku": "",
    }
    return JobView.model_validate(
        {
            **empty,
            "id": UUID(int=1),
            "source": "run",
            "job_id": "one",
            "lane": "bulk",
            "status": status,
            "created_at": STARTED,
            "finished_at": STARTED,
            "request": Job(
                version=1, source="run", job_id="one", image=Image(uri=f"/photos/{name}")
            ),
            **values,
        }
    )
