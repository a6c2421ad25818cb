"""Closed-form matting on top of the refined alpha: hair and fur, for about a second a picture.

Levin, Lischinski, Weiss, "A Closed-Form Solution to Natural Image Matting", TPAMI 2008, as
implemented in PyMatting (MIT). Not installed by default: it brings numba and SciPy (350 MB).
"""

import warnings
from importlib import import_module
from importlib.util import find_spec

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.errors import ConfigurationError, ModelFailure

#: The longer side at which the system is solved, in pixels; its cost grows faster than the area.
SIDE = 1024
#: What is below or above is taken for known, when it lies this many pixels inside (at `SIDE`).
KNOWN_LOW, KNOWN_HIGH = 0.1, 0.9
MARGIN = 10


def require() -> None:
    """Check that the extra is there. Raises `ConfigurationError`; imports nothing heavy."""
    if find_spec("pymatting") is None:
        raise ConfigurationError(
            "Fine matting needs PyMatting, which is not installed: "
            "run pip install 'packshot[fine]', or switch fine matting off."
        )


def refine(rgb: NDArray[np.uint8], alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Solve for the alpha anew in the band around the edge.

    Args:
        rgb: uint8, H x W x 3.
        alpha: float32, H x W, in [0, 1]: where the edge is about.

    Returns:
        float32, H x W, in [0, 1]; `alpha` itself where it leaves nothing open.

    Raises:
        ConfigurationError: PyMatting is not installed.
        ModelFailure: the system could not be solved.
    """
    height, width = alpha.shape
    scale = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    trimap = _trimap(np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)))
    if not {0.0, 0.5, 1.0} <= set(np.unique(trimap)):
        # Without a known inside, a known outside and something between there is nothing to solve.
        return alpha
    solved = np.clip(
        np.nan_to_num(_solve(np.asarray(small, np.float64) / 255, trimap)), 0.0, 1.0
    ).astype(np.float32)
    result = cv2.resize(solved, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(result, np.float32)


def _trimap(alpha: NDArray[np.float32]) -> NDArray[np.float64]:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * MARGIN + 1, 2 * MARGIN + 1))
    trimap = np.full(alpha.shape, 0.5)
    trimap[cv2.erode((alpha > KNOWN_HIGH).astype(np.uint8), kernel) > 0] = 1.0
    trimap[cv2.erode((alpha < KNOWN_LOW).astype(np.uint8), kernel) > 0] = 0.0
    return trimap


def _solve(rgb: NDArray[np.float64], trimap: NDArray[np.float64]) -> NDArray[np.float64]:
    require()
    solver = import_module("pymatting").estimate_alpha_cf
    with warnings.catch_warnings():
        # Its incomplete Cholesky factorisation may need a second try and warns about it.
        warnings.simplefilter("ignore")
        try:
            return np.asarray(solver(rgb, trimap), np.float64)
        except (ValueError, RuntimeError, np.linalg.LinAlgError) as error:
            raise ModelFailure(
                f"Closed-form matting failed ({error}): switch fine matting off for this picture."
            ) from error
