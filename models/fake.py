"""Models that need no weights: for tests, simulations and chaos, with the real ones' interfaces.

What they answer is a pure function of the pixels, so that a repeated step gives the same result.
"""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.bundle import Models
from models.matting import Matted
from models.recognition import encode_embedding
from packshot.contract import Step
from packshot.imaging.foreground import pack
from packshot.results import (
    Box,
    Category,
    Colour,
    Finding,
    ModelInfo,
    Recognition,
    TextLine,
    TextResult,
)

#: Provenance of everything a fake answers; its name says that it is one.
INFO = ModelInfo(name="fake", version="1", sha256="0" * 64, licence="Apache-2.0")


@dataclass(frozen=True, slots=True)
class FakeReader:
    """Reads one line: the picture's size. Takes `seconds` for it."""

    seconds: float = 0.0

    def read(self, rgb: NDArray[np.uint8]) -> TextResult:
        """Answer one confident line across the top of the picture."""
        time.sleep(self.seconds)
        height, width = rgb.shape[:2]
        right, low = float(width), float(max(1, height // 10))
        line = TextLine(
            polygon=((0.0, 0.0), (right, 0.0), (right, low), (0.0, low)),
            text=f"{width}x{height}",
            score=0.99,
            probability=0.98,
            script="latin",
        )
        return TextResult(lines=(line,), confidence=0.98)


@dataclass(frozen=True, slots=True)
class FakeRecogniser:
    """Calls everything a packet. Takes `seconds` for it."""

    seconds: float = 0.0

    def recognise(self, rgb: NDArray[np.uint8], text: TextResult | None) -> Recognition:
        """Answer a confident category, the mean colour, and the first line as brand."""
        time.sleep(self.seconds)
        mean = "#" + "".join(f"{round(float(value)):02x}" for value in rgb.mean(axis=(0, 1)))
        brand = (
            Finding(value=text.lines[0].text, confidence=0.9, rule="fake", lines=(0,))
            if text and text.lines
            else None
        )
        return Recognition(
            categories=(Category(id=692, en="packet", zh="袋装", probability=0.95, product=True),),
            embedding=encode_embedding(np.ones(1280, np.float32)),
            colours=(Colour(hex=mean, en="grey", zh="灰色", share=1.0),),
            brand=brand,
            model=None,
            confidence=0.95,
        )


@dataclass(frozen=True, slots=True)
class FakeMatter:
    """Cuts the middle of the picture out. Takes `seconds` for it."""

    seconds: float = 0.0

    def matte(self, rgb: NDArray[np.uint8], supplied: NDArray[np.uint8] | None = None) -> Matted:
        """Answer a rectangle of half the picture's sides, or the supplied alpha."""
        time.sleep(self.seconds)
        height, width = rgb.shape[:2]
        box = Box(
            left=width // 4, top=height // 4, right=width - width // 4, bottom=height - height // 4
        )
        alpha: NDArray[np.uint8] = np.zeros((height, width), np.uint8)
        alpha[box.top : box.bottom, box.left : box.right] = 255
        if supplied is not None:
            alpha = supplied
        return Matted(
            alpha=alpha,
            cutout=pack(rgb, alpha),
            coverage=float(alpha.mean()) / 255,
            uncertain=0.0,
            box=box,
            subjects=1,
            touches=(),
            supplied=supplied is not None,
            confidence=0.97,
        )


def fake_models(*, seconds: float = 0.0) -> Models:
    """All three, each taking `seconds` per picture."""
    return Models(
        reader=FakeReader(seconds),
        recogniser=FakeRecogniser(seconds),
        matter=FakeMatter(seconds),
        infos=tuple((step, (INFO,)) for step in (Step.OCR, Step.RECOGNITION, Step.MATTING)),
    )
