"""ocr: read the text on the product."""

from packshot.contract import Step
from packshot.errors import ConfigurationError
from packshot.results import TextLine, TextResult
from packshot.store.review_items import Correction
from tasks.stage import Found, Stage, Work


def ocr(work: Work) -> Found:
    """Read the working image."""
    models = work.services.models
    if models.reader is None:
        raise ConfigurationError("This worker has no OCR models: its role does not serve ocr.")
    text = models.reader.read(work.pixels())
    text = text.model_copy(update={"models": models.info(Step.OCR)})
    return Found(text, confidence=text.confidence)


def correct(work: Work) -> Found:
    """Take the lines as a person reads them; the model is not asked."""
    said = Correction.model_validate(work.ticket.correction)
    lines = tuple(
        TextLine(**line.model_dump(), score=1.0, probability=1.0) for line in said.text or ()
    )
    before = work.before(TextResult)
    text = TextResult(
        lines=lines,
        confidence=1.0 if lines else None,
        models=before.models if before else (),
    )
    return Found(text, confidence=text.confidence)


def key(work: Work) -> str:
    """The text depends on the pixels alone."""
    return work.input_key(work.prepared().sha256)


STAGE = Stage(Step.OCR, TextResult, ocr, key, correct)
