"""The colour guided filter, its fast form: local lines fitted on a grid, applied at full size.

He, Sun, Tang, "Guided Image Filtering", TPAMI 2013 (equations 19 to 21 for a colour guide) and
He, Sun, "Fast Guided Filter", arXiv:1505.00996, 2015 (fit on a small picture, enlarge the lines).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.imaging.grid import Bytes, Floats

#: Variance of the target that is taken for none.
TINY = 1e-6

_Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fit:
    """What was fitted, on the grid.

    Attributes:
        lines: float32, H x W x 4: three slopes per level of a uint8 guide, then the offset.
        explained: float32, H x W, in [0, 1]: the share of the target's variance around a cell that
            the lines account for. Near 0 the guide shows no edge where the target has one, and the
            lines are no more than a wide blur of the target.
    """

    lines: Floats
    explained: Floats


def fit(guide: Bytes, target: Floats, *, radius: int, eps: float) -> Fit:
    """Fit `target = a . rgb + b` in the window around each cell, then average over the windows.

    Args:
        guide: uint8 RGB, H x W x 3.
        target: float32, H x W, in [0, 1].
        radius: half the window's side, in cells.
        eps: keeps lines flat where the guide has no contrast, in squared units of the guide scaled
            to [0, 1]; 1e-4 is a contrast of 1 %.
    """
    # Double precision: the variance is a difference of two nearly equal means, and on a grey
    # texture the three channels make the matrix almost singular. In single precision the
    # determinant then loses its sign, and with a small eps the result is NaN.
    colours = [np.multiply(channel, 1 / 255, dtype=np.float64) for channel in cv2.split(guide)]
    values = target.astype(np.float64)
    means = [_mean(colour, radius) for colour in colours]
    mean = _mean(values, radius)
    pull = [_mean(c * values, radius) - m * mean for c, m in zip(colours, means, strict=True)]
    slopes = _solve(_covariances(colours, means, radius, eps), pull)
    offset = mean - _dot(slopes, means)
    lines = np.dstack([*(slope / 255 for slope in slopes), offset])
    # A window without an edge of the target has nothing to explain and no say.
    variance = np.maximum(_mean(values * values, radius) - mean * mean, 0) + TINY
    explained = _mean(_dot(slopes, pull), radius) / _mean(variance, radius)
    return Fit(_mean(lines, radius).astype(np.float32), np.clip(explained, 0, 1).astype(np.float32))


def apply(lines: Floats, rgb: Bytes) -> Floats:
    """The lines' values at the colours of a picture of their size: float32 H x W, not clipped."""
    value = lines[..., 3].copy()
    for channel in range(3):
        value += lines[..., channel] * rgb[..., channel]
    return value


def _mean(values: _Doubles, radius: int) -> _Doubles:
    side = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.boxFilter(values, -1, side, borderType=cv2.BORDER_REFLECT))


def _covariances(
    colours: list[_Doubles], means: list[_Doubles], radius: int, eps: float
) -> list[_Doubles]:
    """Upper triangle of the 3 x 3 covariance of each window: rr rg rb gg gb bb, eps added."""
    return [
        _mean(colours[i] * colours[j], radius) - means[i] * means[j] + (eps if i == j else 0.0)
        for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    ]


def _solve(matrix: list[_Doubles], right: list[_Doubles]) -> list[_Doubles]:
    """Solve a symmetric 3 x 3 system per cell with cofactors; eps keeps it regular."""
    rr, rg, rb, gg, gb, bb = matrix
    inverse = (
        (gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb),
        (gb * rb - rg * bb, rr * bb - rb * rb, rb * rg - rr * gb),
        (rg * gb - gg * rb, rb * rg - rr * gb, rr * gg - rg * rg),
    )
    determinant = _dot([rr, rg, rb], list(inverse[0]))
    return [_dot(list(row), right) / determinant for row in inverse]


def _dot(left: list[_Doubles], right: list[_Doubles]) -> _Doubles:
    return left[0] * right[0] + left[1] * right[1] + left[2] * right[2]
