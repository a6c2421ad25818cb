"""Reading back what Packshot itself has written: no limits and no formats to fear."""

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.errors import CorruptImage


def load_rgba(data: bytes) -> NDArray[np.uint8]:
    """Decode a PNG with an alpha channel to uint8 HxWx4, RGBA. Raises `CorruptImage`."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3 or image.shape[2] != 4:
        raise CorruptImage("A stored cut-out is not an RGBA PNG: the object was changed.")
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA).astype(np.uint8, copy=False)
