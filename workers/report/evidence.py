"""A job's JSON as the types that wrote it."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, TypeAdapter, ValidationError

from packshot.contract import Job, Step
from packshot.errors import ConfigurationError
from packshot.results import Matte, Picture, Prepared, Recognition, Signal, TextResult
from packshot.store.views import JobView

Part = TypeVar("Part", bound=BaseModel)

_SIGNALS = TypeAdapter(tuple[Signal, ...])
_PICTURES = TypeAdapter(tuple[Picture, ...])


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a job; of one that failed, what its finished steps found."""

    photo: Prepared | None
    text: TextResult | None
    recognition: Recognition | None
    matte: Matte | None
    pictures: tuple[Picture, ...]
    reasons: tuple[Signal, ...]

    @property
    def named(self) -> str:
        """Brand and model, as far as they were found."""
        if self.recognition is None:
            return ""
        parts = (self.recognition.brand, self.recognition.model)
        return " ".join(part.value for part in parts if part)


def evidence(job: JobView) -> Evidence:
    """Read the job's result, or its steps' results where the job has none.

    Raises:
        ConfigurationError: another version of Packshot wrote the result.
    """
    steps = {step.name: step.result for step in job.steps}
    whole = job.result or {}
    try:
        return Evidence(
            photo=_part(Prepared, whole.get("photo") or steps.get(Step.PREPARE)),
            text=_part(TextResult, whole.get("text") or steps.get(Step.OCR)),
            recognition=_part(Recognition, whole.get("recognition") or steps.get(Step.RECOGNITION)),
            matte=_part(Matte, whole.get("matte") or steps.get(Step.MATTING)),
            pictures=_PICTURES.validate_python(whole.get("pictures", ())),
            reasons=_SIGNALS.validate_python(job.reasons or ()),
        )
    except ValidationError as error:
        raise ConfigurationError(
            f"The result of {job.source}/{job.job_id} was written by another version of Packshot: "
            "process the photo again, into a new folder."
        ) from error


def file_name(job: JobView, photo: Prepared | None) -> str:
    """The photo's own name, or the last part of its address, or the job's name."""
    if photo and photo.filename:
        return photo.filename
    return _from_address(job.request) or job.job_id


def _part(kind: type[Part], found: dict[str, Any] | None) -> Part | None:
    return kind.model_validate(found) if found else None


def _from_address(job: Job) -> str:
    uri = job.image.uri
    if uri.startswith("data:"):
        return ""
    path = unquote(urlsplit(uri).path) if "://" in uri else uri
    return PurePosixPath(path.replace("\\", "/")).name
