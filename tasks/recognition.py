"""recognition: say what the product is."""

from typing import Any

from packshot.contract import Step
from packshot.errors import ConfigurationError
from packshot.results import Category, Finding, Recognition, TextResult
from packshot.store.review_items import Correction
from tasks.stage import Found, Stage, Work

#: The rule that a person's word is.
BY_PERSON = "human"


def recognition(work: Work) -> Found:
    """Look at the working image and at the text, if it was read."""
    models = work.services.models
    if models.recogniser is None:
        raise ConfigurationError("This worker has no recognition model: see its role.")
    found = models.recogniser.recognise(work.pixels(), work.result(Step.OCR, TextResult))
    found = found.model_copy(update={"models": models.info(Step.RECOGNITION)})
    return Found(found, confidence=found.confidence)


def key(work: Work) -> str:
    """Brand and model come from the text, so the text is part of the input."""
    text = work.result(Step.OCR, TextResult)
    return work.input_key(work.prepared().sha256, text.model_dump_json() if text else "")


def correct(work: Work) -> Found:
    """Put what a person says over what was found, or over what follows from a corrected text."""
    found = work.before(Recognition) or Recognition.model_validate(
        recognition(work).result.model_dump()
    )
    said = Correction.model_validate(work.ticket.correction)
    changes: dict[str, Any] = {
        name: _finding(getattr(said, name)) for name in ("brand", "model") if name in said.fields
    }
    if said.category:
        picked = Category(**said.category.model_dump(), probability=1.0)
        others = (one for one in found.categories if one.id != picked.id)
        changes["categories"] = (picked, *others)
        changes["confidence"] = 1.0
        changes["signals"] = ()
    found = found.model_copy(update=changes)
    return Found(found, confidence=found.confidence)


def _finding(value: str | None) -> Finding | None:
    return Finding(value=value, confidence=1.0, rule=BY_PERSON) if value else None


STAGE = Stage(Step.RECOGNITION, Recognition, recognition, key, correct)
