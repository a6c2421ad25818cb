"""matting: cut the product out."""

import cv2
import numpy as np

from models.matting import Matted
from packshot.contract import Step
from packshot.errors import ConfigurationError
from packshot.imaging.encode import encode, encode_grey
from packshot.imaging.hashing import sha256
from packshot.imaging.naming import work_key
from packshot.results import Matte
from tasks.stage import LOSSLESS, Found, Stage, Work


def matting(work: Work) -> Found:
    """Matte the working image; keep the alpha matte and the cut-out, both lossless."""
    models = work.services.models
    if models.matter is None:
        raise ConfigurationError("This worker has no matting model: see its role.")
    matted = models.matter.matte(work.pixels(), work.alpha())
    # Rounds and saturates in one pass over the picture.
    alpha = np.asarray(cv2.convertScaleAbs(matted.alpha, alpha=255), np.uint8)
    stored = tuple(
        work.store(
            name,
            work_key(work.prepared().sha256, f"{name}-{sha256(data)[:32]}.png"),
            data,
            "image/png",
        )
        for name, data in (
            ("matte", encode_grey(alpha)),
            ("foreground", encode(matted.cutout, "png", LOSSLESS)),
        )
    )
    work.services.pixels.put(stored[1].key, matted.cutout)
    return Found(
        _describe(matted, alpha_key=stored[0].key, cutout_key=stored[1].key, work=work),
        confidence=matted.confidence,
        artifacts=stored,
    )


def key(work: Work) -> str:
    """The matte depends on the pixels alone."""
    return work.input_key(work.prepared().sha256)


def _describe(matted: Matted, *, alpha_key: str, cutout_key: str, work: Work) -> Matte:
    return Matte(
        alpha_key=alpha_key,
        cutout_key=cutout_key,
        coverage=matted.coverage,
        uncertain=matted.uncertain,
        box=matted.box,
        subjects=matted.subjects,
        touches=matted.touches,
        supplied=matted.supplied,
        confidence=matted.confidence,
        signals=matted.signals,
        models=work.services.models.info(Step.MATTING),
    )


STAGE = Stage(Step.MATTING, Matte, matting, key)
