"""One photo, as the page shows it."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from packshot.results import Finding, ModelInfo, Picture, Signal
from packshot.store.views import JobView
from workers.report.evidence import Evidence, evidence, file_name
from workers.report.overlay import Overlay, overlay
from workers.report.pictures import (
    BlobReader,
    Embedded,
    Sizes,
    crop_to,
    embed,
    load_cutout,
    load_photo,
)
from workers.report.timings import Timing, timings
from workers.report.words import FIELDS, STATUSES, advice, reason_name

#: Photos wider than this many times their height get a lower field.
_WIDE: Final = 1.2


@dataclass(frozen=True, slots=True)
class Output:
    """One rendered picture and how it is shown; `shown` is None where the object is gone."""

    picture: Picture
    shown: Embedded | None


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure one field is, and how sure it has to be."""

    name: str
    value: float
    threshold: float

    @property
    def enough(self) -> bool:
        """The field alone would not send the photo to review."""
        return self.value >= self.threshold


@dataclass(frozen=True, slots=True)
class Source:
    """A finding (brand, model) with the lines it was read from: number and text."""

    name: str
    finding: Finding
    lines: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no result, and what to do."""

    code: str
    message: str
    advice: str
    step: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """Everything that the template needs; nothing in it is markup."""

    number: int
    name: str
    sku: str
    status: str
    headline: str
    found: Evidence
    original: Embedded | None
    cutout: Embedded | None
    thumb: Embedded | None
    overlay: Overlay | None
    outputs: tuple[Output, ...]
    findings: tuple[Source, ...]
    confidences: tuple[Confidence, ...]
    notes: Mapping[str, tuple[Signal, ...]]
    timings: tuple[Timing, ...]
    models: tuple[ModelInfo, ...]
    pipeline: str
    failure: Failure | None
    search: str

    @property
    def landscape(self) -> bool:
        """The photo is so wide that a tall field around it would stay empty."""
        photo = self.found.photo
        return photo is not None and photo.width > _WIDE * photo.height

    @property
    def seconds(self) -> float:
        """Time spent in all steps."""
        return sum(one.seconds for one in self.timings)


def make_card(
    number: int, job: JobView, blobs: BlobReader, *, sizes: Sizes, thresholds: Mapping[str, float]
) -> Card:
    """Gather what is known of a job and embed its pictures.

    A picture that is gone from the store is left out; the card says so.

    Raises:
        ConfigurationError: another version of Packshot wrote the result.
        StorageUnavailable: the store does not answer.
    """
    found = evidence(job)
    name = file_name(job, found.photo)
    photo = load_photo(blobs, found.photo.work_key) if found.photo else None
    cutout = load_cutout(blobs, found.matte.cutout_key) if found.matte else None
    findings = tuple(_findings(found))
    provenance = (job.result or {}).get("provenance") or {}
    return Card(
        number=number,
        name=name,
        sku="" if job.sku == PurePath(name).stem else job.sku,
        status=status_of(job),
        headline=_headline(job, found, thresholds),
        found=found,
        original=embed(photo, sizes.photo) if photo is not None else None,
        cutout=embed(cutout, sizes.cutout) if cutout is not None else None,
        thumb=_thumb(found, photo, cutout, sizes),
        overlay=overlay(found, thresholds.get("text", 0.0)),
        outputs=tuple(_outputs(job, found, blobs, cutout, sizes)),
        findings=findings,
        confidences=tuple(_confidences(found, thresholds)),
        notes=_notes(found),
        timings=timings(job.steps),
        models=_models(found),
        pipeline=str(provenance.get("pipeline", "")),
        failure=_failure(job),
        search=_search(name, job, found),
    )


def status_of(job: JobView) -> str:
    """One of the keys of `STATUSES`."""
    return job.status if job.status in STATUSES else "other"


def _headline(job: JobView, found: Evidence, thresholds: Mapping[str, float]) -> str:
    """The shortest description: brand and model, or the likeliest category, or the failure."""
    if job.status == "failed":
        return reason_name(job.code or "internal_error")
    if found.recognition is None:
        return ""
    sure = found.recognition.confidence >= thresholds.get("category", 0.0)
    return found.named or found.recognition.categories[0].en + ("" if sure else "?")


def _thumb(
    found: Evidence,
    photo: NDArray[np.uint8] | None,
    cutout: NDArray[np.uint8] | None,
    sizes: Sizes,
) -> Embedded | None:
    if cutout is not None and found.matte and found.matte.box:
        return embed(crop_to(cutout, found.matte.box), sizes.thumb)
    return embed(photo, sizes.thumb) if photo is not None else None


def _outputs(
    job: JobView,
    found: Evidence,
    blobs: BlobReader,
    cutout: NDArray[np.uint8] | None,
    sizes: Sizes,
) -> Iterable[Output]:
    known = {one.sha256 for one in job.artifacts if one.name == "foreground"}
    for picture in found.pictures:
        # The plain cut-out is the same file: decoding a large PNG twice is most of the work here.
        same = picture.sha256 in known and cutout is not None
        image = cutout if same else load_photo(blobs, picture.key)
        yield Output(picture, embed(image, sizes.output) if image is not None else None)


def _findings(found: Evidence) -> Iterable[Source]:
    if found.recognition is None:
        return
    texts = [line.text for line in found.text.lines] if found.text else []
    for name, finding in (("Brand", found.recognition.brand), ("Model", found.recognition.model)):
        if finding:
            lines = ((at + 1, texts[at]) for at in finding.lines if at < len(texts))
            yield Source(name, finding, tuple(lines))


def _confidences(found: Evidence, thresholds: Mapping[str, float]) -> Iterable[Confidence]:
    values = {
        "text": found.text.confidence if found.text else None,
        "category": found.recognition.confidence if found.recognition else None,
        "matte": found.matte.confidence if found.matte else None,
    }
    for field, value in values.items():
        if value is not None:
            yield Confidence(FIELDS[field], value, thresholds.get(field, 0.0))


def _notes(found: Evidence) -> Mapping[str, tuple[Signal, ...]]:
    """What the steps noticed beyond the reasons for review, by the section it belongs to."""
    said = {(reason.code, reason.message) for reason in found.reasons}
    parts = {
        "quality": found.photo.quality.signals if found.photo else (),
        "text": found.text.signals if found.text else (),
        "recognition": found.recognition.signals if found.recognition else (),
        "matte": found.matte.signals if found.matte else (),
    }
    return {
        name: tuple(one for one in signals if (one.code, one.message) not in said)
        for name, signals in parts.items()
    }


def _models(found: Evidence) -> tuple[ModelInfo, ...]:
    parts = (found.text, found.recognition, found.matte)
    return tuple(model for part in parts if part for model in part.models)


def _failure(job: JobView) -> Failure | None:
    if job.status != "failed":
        return None
    step = next((step.name for step in job.steps if step.status == "failed"), None)
    code = job.code or "internal_error"
    return Failure(code, job.message or "No reason was recorded.", advice(job.code), step)


def _search(name: str, job: JobView, found: Evidence) -> str:
    words = [name, job.sku, STATUSES[status_of(job)], job.code or ""]
    words += [line.text for line in found.text.lines] if found.text else []
    if found.recognition:
        top = found.recognition.categories[0]
        named = (found.recognition.brand, found.recognition.model)
        words += [top.en, top.zh, *(finding.value for finding in named if finding)]
        words += [name for one in found.recognition.colours for name in (one.en, one.zh)]
    words += [reason_name(reason.code) for reason in found.reasons]
    return unicodedata.normalize("NFKC", " ".join(filter(None, words))).lower()
