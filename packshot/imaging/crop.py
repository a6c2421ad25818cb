"""Cutting a line of text out of a picture, upright."""

from collections.abc import Sequence

import cv2
import numpy as np

from packshot.imaging.grid import Bytes

#: A line this many times as high as wide is turned, as PP-OCR does with training data.
TALL = 1.5
HALF = np.float32(0.5)


def straighten(rgb: Bytes, polygon: Sequence[Sequence[float]]) -> Bytes | None:
    """The inside of a quadrilateral as a rectangle.

    Args:
        rgb: uint8, H x W x 3.
        polygon: four corners in pixels, clockwise from the text's own top left.

    Returns:
        uint8, h x w x 3; tall ones turned by 90 degrees against the clock; None where the polygon
        has no area.
    """
    corners = np.asarray(polygon, np.float32)
    width = round(max(_length(corners, 0, 1), _length(corners, 3, 2)))
    height = round(max(_length(corners, 0, 3), _length(corners, 1, 2)))
    if width < 1 or height < 1:
        return None
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    # Corners lie between pixels, OpenCV's coordinates on their centres.
    warp = cv2.getPerspectiveTransform(corners - HALF, target - HALF)
    crop = cv2.warpPerspective(
        rgb, warp, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.ascontiguousarray(np.rot90(crop) if height >= TALL * width else crop, np.uint8)


def _length(corners: np.ndarray[tuple[int, ...], np.dtype[np.float32]], a: int, b: int) -> float:
    return float(np.linalg.norm(corners[a] - corners[b]))
