"""How far an alpha matte is from the true one: the measures of the matting literature.

Rhemann et al., "A Perceptually Motivated Online Benchmark for Image Matting", CVPR 2009, plus the
error in the edge's band, which a large and easy picture cannot dilute.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Alpha = NDArray[np.float32]

#: Standard deviation of the derivative of a Gaussian, in pixels: the benchmark's value.
SIGMA = 1.4
#: The band reaches this far from mixed pixels, in pixels.
BAND = 10
#: A true alpha strictly between these is mixed.
MIXED = (0.02, 0.98)


@dataclass(frozen=True, slots=True)
class Errors:
    """All are 0 for equal mattes except `iou`, which is 1.

    `sad` is the sum of absolute differences / 1000, `mse` the mean squared error x 1000,
    `gradient` the summed squared difference of gradient lengths / 1000, `band` the mean absolute
    difference near the edge, `iou` the overlap of the halves with an alpha above 0.5.
    """

    sad: float
    mse: float
    gradient: float
    band: float
    iou: float


def compare(alpha: Alpha, truth: Alpha) -> Errors:
    """Measure a matte against the true one; both float32, H x W, in [0, 1]."""
    if alpha.shape != truth.shape:
        raise ValueError(f"The mattes have different sizes: {alpha.shape} and {truth.shape}.")
    difference = np.abs(alpha.astype(np.float64) - truth)
    near = band(truth)
    found, real = alpha > 0.5, truth > 0.5
    either = np.count_nonzero(found | real)
    return Errors(
        sad=float(difference.sum() / 1e3),
        mse=float(np.square(difference).mean() * 1e3),
        gradient=float(np.square(_slope(alpha) - _slope(truth)).sum() / 1e3),
        band=float(difference[near].mean()) if near.any() else 0.0,
        iou=np.count_nonzero(found & real) / either if either else 1.0,
    )


def unit(matte: NDArray[np.uint8]) -> Alpha:
    """A stored matte as an alpha in [0, 1]."""
    return np.multiply(matte, np.float32(1 / 255), dtype=np.float32)


def band(truth: Alpha) -> NDArray[np.bool_]:
    """Where the edge is: mixed pixels, and hard steps, and what lies within `BAND` of them."""
    low, high = MIXED
    kernel = np.ones((3, 3), np.uint8)
    step = cv2.morphologyEx((truth > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, kernel)
    mixed = ((truth > low) & (truth < high)) | (step > 0)
    reach = np.ones((2 * BAND + 1, 2 * BAND + 1), np.uint8)
    return np.asarray(cv2.dilate(mixed.astype(np.uint8), reach) > 0)


def colour_error(colours: NDArray[np.uint8], truth: NDArray[np.uint8], alpha: Alpha) -> float:
    """Mean absolute error of the subject's colours, in levels, where it is half transparent."""
    low, high = MIXED
    mixed = (alpha > low) & (alpha < high)
    if not mixed.any():
        return 0.0
    return float(np.abs(colours[mixed].astype(np.float64) - truth[mixed]).mean())


def _slope(alpha: Alpha) -> NDArray[np.float64]:
    radius = round(4 * SIGMA)
    x = np.arange(-radius, radius + 1)
    smooth = np.exp(-(x**2) / (2 * SIGMA**2))
    smooth /= smooth.sum()
    derive = -x * smooth / SIGMA**2
    values = alpha.astype(np.float64)
    across = cv2.sepFilter2D(values, -1, derive, smooth)
    down = cv2.sepFilter2D(values, -1, smooth, derive)
    return np.hypot(across, down)
