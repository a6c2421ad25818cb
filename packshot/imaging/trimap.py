"""From an alpha matte to a trimap: sure subject, sure background, and a band of neither."""

import cv2
import numpy as np

from packshot.imaging.grid import Bytes

#: The three values of a trimap.
BACKGROUND, UNKNOWN, SUBJECT = 0, 128, 255
#: Half of the band's width along a hard edge, as a share of the longer side.
BAND = 0.005


def trimap_of(alpha: Bytes) -> Bytes:
    """The trimap that belongs to a matte, as matting models are trained with.

    Args:
        alpha: uint8, H x W.

    Returns:
        uint8, H x W, of 0 (background), 128 (unknown) and 255 (subject). Whatever is half
        transparent is unknown, and so is a band of `BAND` on both sides of every edge.
    """
    radius = max(1, round(max(alpha.shape) * BAND))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    # The border of the picture is no edge: what lies beyond it is like what lies before it.
    sure = cv2.erode(np.asarray(alpha == 255, np.uint8), disc, borderValue=1)
    empty = cv2.erode(np.asarray(alpha == 0, np.uint8), disc, borderValue=1)
    found = np.full(alpha.shape, UNKNOWN, np.uint8)
    found[sure == 1] = SUBJECT
    found[empty == 1] = BACKGROUND
    return found
