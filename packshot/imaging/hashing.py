"""Two fingerprints: one of the bytes, one of what the picture looks like."""

import hashlib
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.imaging.scale import halved

#: Side of the reduced grey picture that is transformed (pixels).
_SIDE: Final = 32
#: Side of the corner of low frequencies that is kept: 8 x 8 are 64 bits.
_CORNER: Final = 8
#: Decimals kept of a coefficient, so that rounding noise cannot decide a bit of a flat picture.
_DECIMALS: Final = 2


def sha256(data: bytes) -> str:
    """SHA-256 of the bytes, as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def phash(rgb: NDArray[np.uint8]) -> str:
    """64-bit perceptual hash of an sRGB picture (uint8 HxWx3), as 16 hex digits.

    DCT hash after C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions"
    (2010), section 3.2.1: 32 x 32 grey, the 8 x 8 lowest frequencies, a bit for each one above
    their median. Scaling, recompression and mild colour changes leave it within about 6 bits.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    grey = halved(grey.astype(np.uint8, copy=False), _SIDE, _SIDE)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = np.round(cv2.dct(small)[:_CORNER, :_CORNER], _DECIMALS)
    bits = low > np.median(low)
    return np.packbits(bits).tobytes().hex()


def distance(a: str, b: str) -> int:
    """Number of differing bits (0 to 64) of two perceptual hashes."""
    return (int(a, 16) ^ int(b, 16)).bit_count()
