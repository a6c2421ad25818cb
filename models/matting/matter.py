"""From a photo to its subject: alpha, colours, and how far to trust them."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.matting import fine as closed_form
from models.matting.confidence import judge
from models.matting.u2net import Saliency, U2Net
from models.session import Session
from packshot.imaging.foreground import cutout, pack
from packshot.imaging.inspect import inspect
from packshot.imaging.matte import refine
from packshot.results import Box, ModelInfo, Signal

#: An alpha that came with the photo is taken when it covers a share of the picture between these:
#: outside, it is a forgotten layer or a rounded corner and not a cut-out.
SUPPLIED = (0.01, 0.95)


@dataclass(frozen=True, slots=True)
class Matted:
    """A cut-out subject.

    Attributes:
        alpha: uint8, H x W.
        cutout: uint8 RGBA, H x W x 4, not premultiplied; colours free of the background's.
        coverage: the subject's share of the picture, in [0, 1].
        uncertain: pixels with an alpha strictly between 0.05 and 0.95, relative to the subject.
        box: around the subject, in pixels; None for an empty matte.
        subjects: separate parts that are worth counting.
        touches: sides of the picture that the subject lies on: top, right, bottom, left.
        supplied: whether the photo's own alpha was taken instead of the model's.
        confidence: in [0, 1].
        signals: what was noticed.
        models: which weights were used; none for a supplied alpha.
    """

    alpha: NDArray[np.uint8]
    cutout: NDArray[np.uint8]
    coverage: float
    uncertain: float
    box: Box | None
    subjects: int
    touches: tuple[str, ...]
    supplied: bool
    confidence: float
    signals: tuple[Signal, ...] = ()
    models: tuple[ModelInfo, ...] = ()


class Matter:
    """Matting of one picture. Thread-safe: many callers may share one."""

    def __init__(self, *, session: Session, fine: bool = False) -> None:
        """Take what is shared.

        Args:
            session: u2netp: float32 (1, 3, 320, 320) to a mask (1, 1, 320, 320) as first output.
            fine: add closed-form matting, about a second a picture, for hair and fur.

        Raises:
            ConfigurationError: `fine` without the extra of this name.
        """
        if fine:
            closed_form.require()
        self._session = session
        self._net = U2Net(session)
        self._fine = fine

    def matte(self, rgb: NDArray[np.uint8], supplied: NDArray[np.uint8] | None = None) -> Matted:
        """Cut the subject out.

        Args:
            rgb: uint8, H x W x 3; not modified.
            supplied: uint8, H x W, the alpha that came with the photo. Where it says something
                (1 to 95 % of the picture are covered), it is taken and the model is not asked; the
                colours are then straight already and stay as they are.

        Raises:
            ModelFailure: the net failed.
            OutOfMemory: the device has no room.
            ValueError: `supplied` has another size than the picture.
        """
        if supplied is not None and supplied.shape != rgb.shape[:2]:
            raise ValueError(f"The alpha is {supplied.shape}, the picture {rgb.shape[:2]}.")
        if supplied is not None and _meaningful(supplied):
            return _matted(supplied, pack(rgb, supplied), None, ())
        saliency = self._net.look(rgb)
        refined = refine(rgb, saliency.mask)
        if self._fine:
            refined = closed_form.refine(rgb, refined)
        alpha = np.asarray(cv2.convertScaleAbs(refined, alpha=255), np.uint8)
        return _matted(alpha, cutout(rgb, alpha), saliency, (self._session.info,))

    @classmethod
    def example(cls) -> NDArray[np.uint8]:
        """A picture to warm up with: uint8, shape (480, 640, 3), a blue disc on light grey."""
        rows, columns = np.mgrid[:480, :640]
        picture = np.full((480, 640, 3), 225, dtype=np.uint8)
        picture[(rows - 240) ** 2 + (columns - 320) ** 2 < 150**2] = (32, 90, 200)
        return picture


def drawn(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> Matted:
    """Cut the subject out along an alpha that a person drew: taken as it is, and trusted.

    Raises:
        ValueError: `alpha` (uint8, H x W) has another size than the picture.
    """
    if alpha.shape != rgb.shape[:2]:
        raise ValueError(f"The alpha is {alpha.shape}, the picture {rgb.shape[:2]}.")
    matted = _matted(alpha, cutout(rgb, alpha), None, ())
    return replace(matted, supplied=False, confidence=1.0)


def _meaningful(alpha: NDArray[np.uint8]) -> bool:
    low, high = SUPPLIED
    return low <= float(alpha.mean()) / 255 <= high


def _matted(
    alpha: NDArray[np.uint8],
    picture: NDArray[np.uint8],
    saliency: Saliency | None,
    models: tuple[ModelInfo, ...],
) -> Matted:
    facts = inspect(alpha)
    verdict = judge(facts, saliency)
    return Matted(
        alpha=alpha,
        cutout=picture,
        coverage=facts.coverage,
        uncertain=facts.uncertain,
        box=facts.box,
        subjects=facts.subjects,
        touches=facts.touches,
        supplied=saliency is None,
        confidence=verdict.confidence,
        signals=verdict.signals,
        models=models,
    )
