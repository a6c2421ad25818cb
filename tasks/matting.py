"""matting: cut the product out."""

from dataclasses import replace

from models.matting import Matted
from models.matting.matter import drawn
from packshot.contract import Step
from packshot.errors import ConfigurationError, CorruptImage
from packshot.imaging.encode import encode, encode_grey, load_grey
from packshot.imaging.hashing import sha256
from packshot.imaging.naming import work_key
from packshot.results import Matte
from packshot.store.review_items import Correction
from tasks.stage import LOSSLESS, Found, Stage, Work


def matting(work: Work) -> Found:
    """Matte the working image; keep the alpha matte and the cut-out, both lossless."""
    models = work.services.models
    if models.matter is None:
        raise ConfigurationError("This worker has no matting model: see its role.")
    matted = models.matter.matte(work.pixels(), work.alpha())
    return _keep(work, replace(matted, models=models.info(Step.MATTING)))


def correct(work: Work) -> Found:
    """Cut out along the alpha that a person drew; the model is not asked.

    Raises `CorruptImage` where it does not fit the picture.
    """
    said = Correction.model_validate(work.ticket.correction)
    assert said.matte is not None  # noqa: S101 - the only field of this step
    pixels, alpha = work.pixels(), load_grey(work.services.blobs.get(said.matte))
    if alpha.shape != pixels.shape[:2]:
        raise CorruptImage(
            f"The drawn matte is {alpha.shape[1]} x {alpha.shape[0]} pixels, the photo "
            f"{pixels.shape[1]} x {pixels.shape[0]}: draw it anew."
        )
    before = work.before(Matte)
    return _keep(work, replace(drawn(pixels, alpha), models=before.models if before else ()))


def _keep(work: Work, matted: Matted) -> Found:
    files = {
        "matte": encode_grey(matted.alpha),
        "foreground": encode(matted.cutout, "png", LOSSLESS),
    }
    stored = tuple(
        work.store(
            name,
            work_key(work.prepared().sha256, f"{name}-{sha256(data)[:32]}.png"),
            data,
            "image/png",
        )
        for name, data in files.items()
    )
    work.services.pixels.put(stored[1].key, matted.cutout)
    # As a plain cut-out it is what most producers ask for: finish gives it its public name.
    work.keep_file(stored[1].key, files["foreground"])
    return Found(
        _describe(matted, alpha_key=stored[0].key, cutout_key=stored[1].key),
        confidence=matted.confidence,
        artifacts=stored,
    )


def key(work: Work) -> str:
    """The matte depends on the pixels alone."""
    return work.input_key(work.prepared().sha256)


def _describe(matted: Matted, *, alpha_key: str, cutout_key: str) -> Matte:
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
        models=matted.models,
    )


STAGE = Stage(Step.MATTING, Matte, matting, key, correct)
