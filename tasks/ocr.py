"""ocr: read the text on the product."""

from packshot.contract import Step
from packshot.errors import ConfigurationError
from packshot.results import TextResult
from tasks.stage import Found, Stage, Work


def ocr(work: Work) -> Found:
    """Read the working image."""
    models = work.services.models
    if models.reader is None:
        raise ConfigurationError("This worker has no OCR models: its role does not serve ocr.")
    text = models.reader.read(work.pixels())
    text = text.model_copy(update={"models": models.info(Step.OCR)})
    return Found(text, confidence=text.confidence)


STAGE = Stage(Step.OCR, TextResult, ocr, key=lambda work: work.input_key(work.prepared().sha256))
