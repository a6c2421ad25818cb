"""Making pictures smaller."""

import cv2
import numpy as np
from numpy.typing import NDArray


def fit(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Shrink a uint8 picture (HxW or HxWxC) so that its longer side is at most `side` pixels.

    A picture that fits is returned as it is, the same object. Areas are averaged: no moiré.
    """
    height, width = image.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return image
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
