"""U2-Net (small): where the salient thing of a picture is, coarsely.

Qin et al., "U2-Net: Going Deeper with Nested U-Structure for Salient Object Detection", Pattern
Recognition 2020; pre- and post-processing as in the authors' code, but for the stretching.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.session import Session
from packshot.imaging.scale import shrink

#: Side of the net's square input in pixels. Measured: 256 and below lose edges, then whole objects.
SIDE = 320
#: Mean and standard deviation of ImageNet's colours, RGB.
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
#: The input is divided by its maximum, but by this many levels at least: the noise of a black
#: picture, made as bright as a photo, was taken for a subject (raw maximum up to 0.98 with a
#: divisor of 3 levels, 0.19 with 32). Photos darkened to a maximum of 5 levels are still found.
FAINT = 32
#: Below this raw maximum no pixel is rather subject than not: there is no subject. Measured: black,
#: white, noise, gradients and patterns stay below 0.2; photos of things reach 0.98, a shelf without
#: any one subject 0.76.
PRESENT = 0.5
#: The authors stretch every mask to [0, 1], which blows the noise of an empty picture up and cuts a
#: background into a full one. Here the ends move at most to these raw values.
DARK, BRIGHT = 0.1, 0.9
#: A mask between these is undecided.
UNDECIDED = (0.2, 0.8)
#: A mask between these belongs to the transition from outside to inside.
TRANSITION = (0.1, 0.9)


@dataclass(frozen=True, slots=True)
class Saliency:
    """A coarse mask and how decided the net was.

    Attributes:
        mask: float32, 320 x 320, in [0, 1]; it covers the picture. All 0 where nothing was found.
        presence: the raw maximum, in [0, 1].
        undecided: pixels of the mask between 0.2 and 0.8, relative to those above 0.5.
        blur: mean width of the transition along the mask's contour, in pixels of the mask.
    """

    mask: NDArray[np.float32]
    presence: float
    undecided: float
    blur: float

    @property
    def doubt(self) -> float:
        """How much of the mask is neither inside nor outside; 0 is none, above 1 is suspicious.

        The product of both measures: the first alone would blame fine structures, which are all
        contour, and the second alone would blame soft contours of a large and clear subject.
        """
        return self.undecided * self.blur


class U2Net:
    """The net on one session. Thread-safe."""

    def __init__(self, session: Session) -> None:
        """Take a session with one float32 input (1, 3, 320, 320); its first output is read."""
        self._session = session
        self._input = session.inputs[0].name
        self._output = session.outputs[0].name

    def look(self, rgb: NDArray[np.uint8]) -> Saliency:
        """Find the subject of an RGB picture, uint8 H x W x 3.

        Raises:
            ModelFailure: the net failed.
            OutOfMemory: the device has no room.
        """
        answer = self._session.run({self._input: prepare(rgb)}, [self._output])[0]
        return measure(np.asarray(answer[0, 0], np.float32))


def prepare(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The net's input: float32 (1, 3, 320, 320), scaled by its maximum and normalised."""
    height, width = rgb.shape[:2]
    # In one call OpenCV would give up averaging as soon as one of the sides grows.
    shrunk = (min(width, SIDE), min(height, SIDE))
    small = shrink(rgb, *shrunk)
    square = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    values = square.astype(np.float32) / max(int(square.max()), FAINT)
    return np.ascontiguousarray(((values - MEAN) / STD).transpose(2, 0, 1)[None])


def measure(raw: NDArray[np.float32]) -> Saliency:
    """Stretch a raw mask (float32, in [0, 1]) and measure it. NaN counts as background."""
    raw = np.nan_to_num(raw)
    presence = float(np.clip(raw.max(), 0.0, 1.0))
    if presence < PRESENT:
        return Saliency(np.zeros_like(raw), presence, 0.0, 0.0)
    low, high = min(float(raw.min()), DARK), max(float(raw.max()), BRIGHT)
    mask = np.clip((raw - low) / (high - low), 0.0, 1.0).astype(np.float32)
    inside = mask > 0.5
    undecided = _between(mask, UNDECIDED) / max(1, int(np.count_nonzero(inside)))
    edge = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    # The gradient is two pixels wide: one on each side of the contour.
    blur = _between(mask, TRANSITION) / max(1.0, cv2.countNonZero(edge) / 2)
    return Saliency(mask, presence, undecided, blur)


def _between(mask: NDArray[np.float32], ends: tuple[float, float]) -> int:
    low, high = ends
    return int(np.count_nonzero((mask > low) & (mask < high)))
