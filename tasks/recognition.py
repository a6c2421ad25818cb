"""recognition: say what the product is."""

from packshot.contract import Step
from packshot.errors import ConfigurationError
from packshot.results import Recognition, TextResult
from tasks.stage import Found, Stage, Work


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


STAGE = Stage(Step.RECOGNITION, Recognition, recognition, key)
