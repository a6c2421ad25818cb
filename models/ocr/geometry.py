"""Corners and crops: from a rotated box in a photo to an upright strip of text.

A quad is a float32 (4, 2) array of (x, y) pixels, clockwise, y down.
"""

import math

import cv2
import numpy as np

from models.session import Array
from packshot.imaging.scale import halved

#: A crop at least this many times as high as wide is turned by a quarter: the recogniser reads
#: along the width. The value is the one that PP-OCR's training crops were cut with.
TURN_RATIO = 1.5
#: Up to this height (pixels) a crop is cut with cubic interpolation, at four times the cost.
CUBIC_HEIGHT = 96
#: No crop is larger than this on a side (pixels): a box cannot ask for more memory than a photo.
MAX_CROP_SIDE = 8192


def clockwise(corners: Array) -> Array:
    """Order four corners clockwise, starting at the top left.

    Args:
        corners: (4, 2) points of a convex quad, any order.

    Returns:
        float32 (4, 2): top left, top right, bottom right, bottom left. The top left is the upper
        one of the two leftmost points, so a box turned by up to 45 degrees keeps its own top.
    """
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.stack([left[0], right[0], right[1], left[1]]).astype(np.float32)


def quad_size(quad: Array) -> tuple[float, float]:
    """Width and height of a quad in pixels: the longer of each pair of opposite sides."""
    sides = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
    return float(max(sides[0], sides[2])), float(max(sides[1], sides[3]))


def is_tall(quad: Array) -> bool:
    """Whether a box is so much higher than wide that its text must run along the height."""
    width, height = quad_size(quad)
    return height >= TURN_RATIO * max(width, 1.0)


def crop(rgb: Array, quad: Array) -> Array:
    """Cut a quad out of a picture and straighten it.

    Args:
        rgb: uint8 (H, W, 3).
        quad: (4, 2) corners, clockwise from the top left; parts outside repeat the edge.

    Returns:
        uint8 (h, w, 3), at least 1 x 1; turned by a quarter counter-clockwise where the quad is
        tall (`is_tall`), so that text running downwards runs to the right.
    """
    width, height = (min(max(1, math.floor(side)), MAX_CROP_SIDE) for side in quad_size(quad))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), target)
    # A line in large print is shrunk later on: what cubic interpolation adds to it is lost there.
    how = cv2.INTER_CUBIC if min(width, height) <= CUBIC_HEIGHT else cv2.INTER_LINEAR
    strip = cv2.warpPerspective(
        rgb, matrix, (width, height), flags=how, borderMode=cv2.BORDER_REPLICATE
    )
    return turn_left(strip) if is_tall(quad) else strip


class Scissors:
    """Cuts quads out of one picture, as `crop` does, but large print from a smaller copy of it.

    A strip is shrunk to a small part of its height anyway before it is read, and cutting costs by
    the pixel: 54 ms for a box higher than 384 px (mean of three on photos of 2000 px).
    """

    def __init__(self, rgb: Array) -> None:
        """Take a picture: uint8 (H, W, 3). It is halved when the first large quad comes."""
        self._levels = [rgb]

    def cut(self, quad: Array) -> Array:
        """Cut one quad out; its shorter side keeps at least `CUBIC_HEIGHT` pixels."""
        level = 0
        while min(quad_size(quad)) >= 2 * CUBIC_HEIGHT and self._has(level + 1):
            level += 1
            quad = quad / 2
        return crop(self._levels[level], quad)

    def _has(self, level: int) -> bool:
        """Whether there is such a copy; the next smaller one is made where it can be."""
        if level == len(self._levels):
            last = self._levels[-1]
            smaller = halved(last, last.shape[1] // 2, last.shape[0] // 2)
            if smaller is not last:
                self._levels.append(smaller)
        return level < len(self._levels)


def turn_left(image: Array) -> Array:
    """Turn by 90 degrees counter-clockwise."""
    return np.ascontiguousarray(np.rot90(image))


def turn_over(image: Array) -> Array:
    """Turn by 180 degrees."""
    return np.ascontiguousarray(image[::-1, ::-1])


def own_corners(quad: Array, *, turned: bool, flipped: bool) -> Array:
    """The same corners, starting at the text's own top left instead of the picture's.

    Args:
        quad: (4, 2) corners, clockwise from the picture's top left.
        turned: the crop was turned counter-clockwise before it was read (text runs downwards).
        flipped: the crop was turned by 180 degrees before it was read.
    """
    steps = (1 if turned else 0) + (2 if flipped else 0)
    return np.roll(quad, -steps, axis=0)
