"""A soft shadow: dark and narrow where the product touches the ground, wide and faint below it."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

#: Longer side of the map that the blurs run on (pixels); a shadow has no detail to lose.
_SIDE: Final = 512
# All lengths below are shares of the product's longer side, all opacities are in [0, 1].
#: The drop: the silhouette, moved down and blurred.
_DROP_OFFSET: Final = 0.02
_DROP_BLUR: Final = 0.03
_DROP_OPACITY: Final = 0.20
#: The contact: what the lowest part of the silhouette stands on, as a flat blurred strip.
_CONTACT_PART: Final = 0.05
_CONTACT_HEIGHT: Final = 0.008
_CONTACT_BLUR: Final = (0.022, 0.010)  # across, down
_CONTACT_OPACITY: Final = 0.45
#: Alpha (0 to 1) from which a pixel casts contact: faint remains below a product do not carry it.
_SOLID: Final = 0.5


def soft_shadow(alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Opacity (uint8 HxW, 255 is black) of the shadow of a silhouette (uint8 HxW) on its canvas."""
    height, width = alpha.shape
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    small /= 255
    rows, columns = np.any(small > _SOLID, axis=1), np.any(small > _SOLID, axis=0)
    if not rows.any():
        return np.zeros_like(alpha)
    top, bottom = int(rows.argmax()), len(rows) - int(rows[::-1].argmax())
    length = max(bottom - top, int(columns.sum()))
    light = (1 - _drop(small, length)) * (1 - _contact(small, top, bottom, length))
    opacity = cv2.resize(1 - light, (width, height), interpolation=cv2.INTER_LINEAR)
    scaled: NDArray[np.uint8] = np.rint(np.clip(opacity, 0, 1) * 255).astype(np.uint8)
    return scaled


def _drop(small: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    moved = _move_down(small, round(length * _DROP_OFFSET))
    return _blur(moved, length * _DROP_BLUR, length * _DROP_BLUR) * np.float32(_DROP_OPACITY)


def _contact(small: NDArray[np.float32], top: int, bottom: int, length: int) -> NDArray[np.float32]:
    part = max(1, round((bottom - top) * _CONTACT_PART))
    half = max(1, round(length * _CONTACT_HEIGHT))
    strip = np.zeros_like(small)
    # The mean, so that the strip fades out under a round base instead of ending in a bar.
    strip[max(0, bottom - half) : bottom + half] = small[bottom - part : bottom].mean(axis=0)
    across, down = (length * share for share in _CONTACT_BLUR)
    return _blur(strip, across, down) * np.float32(_CONTACT_OPACITY)


def _move_down(picture: NDArray[np.float32], by: int) -> NDArray[np.float32]:
    moved = np.zeros_like(picture)
    moved[by:] = picture[: len(picture) - by]
    return moved


def _blur(picture: NDArray[np.float32], across: float, down: float) -> NDArray[np.float32]:
    # A product that the photo's edge cuts goes on behind it, and so does its shadow: replicate.
    blurred = cv2.GaussianBlur(
        picture,
        (0, 0),
        sigmaX=max(across, 0.5),
        sigmaY=max(down, 0.5),
        borderType=cv2.BORDER_REPLICATE,
    )
    return blurred.astype(np.float32, copy=False)
