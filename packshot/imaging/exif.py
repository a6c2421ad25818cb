"""The one EXIF tag that changes a picture: its orientation."""

import struct
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_ORIENTATION: Final = 0x0112
#: The only orientation that asks for nothing.
UPRIGHT: Final = 1


def orientation(exif: bytes | None) -> int:
    """Read the orientation (1 to 8) out of an EXIF block; 1 where it is missing or makes no sense.

    Own code and not Pillow's reader: that one parses every tag and warns about broken ones, and
    what a camera wrote wrongly elsewhere must not cost the job. Format: EXIF 2.32, 4.6.2.
    """
    if not exif:
        return UPRIGHT
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, start)
        for index in range(entries):
            tag, kind, count = struct.unpack_from(order + "HHI", tiff, start + 2 + 12 * index)
            if tag == _ORIENTATION and kind == 3 and count == 1:
                (value,) = struct.unpack_from(order + "H", tiff, start + 10 + 12 * index)
                return int(value) if 1 <= value <= 8 else UPRIGHT
    except struct.error:
        return UPRIGHT
    return UPRIGHT


def turn(picture: NDArray[np.uint8], value: int) -> NDArray[np.uint8]:
    """Turn and mirror a picture (HxW or HxWxC) so that orientation `value` becomes upright."""
    if value in {5, 6, 7, 8}:
        picture = cv2.transpose(picture).astype(np.uint8, copy=False)
    # cv2.flip codes: 0 top and bottom, 1 left and right, -1 both.
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(value)
    return picture if flip is None else cv2.flip(picture, flip).astype(np.uint8, copy=False)
