"""Where the lines of text are: the DB detector and what follows it.

Liao et al., "Real-time Scene Text Detection with Differentiable Binarization" (AAAI 2020): the net
answers a map of the chance that a pixel belongs to the shrunken core of a line; each core becomes
a rotated box, which is grown back to the full line.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import RotatedRect

from models.ocr.geometry import clockwise
from models.session import Array, Session

#: The net halves its input five times, so both sides are multiples of this (pixels).
STRIDE = 32
#: Mean and deviation of the pixels that the net was trained on, in its own channel order (BGR,
#: 0-255). They are ImageNet's, applied in that order as its authors do; +-1 scaling, which is also
#: found in use, reads a fifth more characters wrongly on hard prints.
MEAN = np.array([0.485, 0.456, 0.406], np.float32) * 255
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32) * 255
#: What each of the 256 levels of a channel is to the net.
LEVELS = (np.arange(256, dtype=np.float32) - MEAN[:, None]) / DEVIATION[:, None]
#: A strip is laid on a canvas at least this high and wide (pixels): on fewer the net, which was
#: trained on whole photos, misses the line.
MIN_CANVAS = 128
#: Cores with a shorter side below this are noise (pixels of the map).
MIN_CORE = 3.0
#: Grown boxes with a shorter side below this hold no readable letter (pixels of the map).
MIN_BOX = 5.0
#: Boxes with a side up to this are dropped (pixels of the photo).
MIN_SIDE = 3.0


@dataclass(frozen=True, slots=True)
class DetectionOptions:
    """How large the net sees a photo, and what counts as a line.

    The short side is enlarged towards `short_side` as long as the long side stays within
    `long_side` (pixels). 1280 read 2.5 % of the characters on real product photos wrongly, 960
    read 3.3 %, in about half the time on photos of 1280 px and more; below 640 small print is lost.

    Attributes:
        long_side: upper limit of the long side (pixels).
        short_side: aim of the short side (pixels).
        enlarge: upper limit of the enlargement; a 16 px icon has no small print to find.
        core_threshold: a pixel of the map above this belongs to a core.
        box_threshold: a core with a lower mean is no text.
        growth: how far a core grows: area times this over perimeter (the paper's unclip ratio).
        max_boxes: cores beyond this many are left out, the largest are kept.
    """

    long_side: int = 1280
    short_side: int = 736
    enlarge: float = 8.0
    core_threshold: float = 0.3
    box_threshold: float = 0.5
    growth: float = 1.6
    max_boxes: int = 1000


#: The same with the long side at 960: faster on large photos, a little worse on small print.
FAST = DetectionOptions(long_side=960)


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One line as a rotated box: float32 (4, 2), clockwise from the picture's top left; score 0-1.

    Corners may lie a little outside the picture.
    """

    quad: Array
    score: float


def detector_size(height: int, width: int, options: DetectionOptions) -> tuple[int, int]:
    """Height and width at which the net sees a picture: multiples of 32, at least 32."""
    scale = max(1.0, min(options.short_side / min(height, width), options.enlarge))
    scale = min(scale, options.long_side / max(height, width))
    sides = (max(1, round(side * scale / STRIDE)) * STRIDE for side in (height, width))
    new_height, new_width = sides
    return new_height, new_width


def to_tensor(rgb: Array, options: DetectionOptions) -> tuple[Array, tuple[int, int, int, int]]:
    """The net's input: float32 (1, 3, H, W), BGR, normalised, and where the picture lies in it.

    Returns:
        The tensor, and (top, left, height, width) of the picture on the canvas.
    """
    height, width = detector_size(rgb.shape[0], rgb.shape[1], options)
    shrinks = height * 2 < rgb.shape[0] or width * 2 < rgb.shape[1]
    # INTER_LINEAR skips pixels when it shrinks by more than half, and thin strokes with them.
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    small = cv2.resize(rgb, (width, height), interpolation=how)
    canvas = np.zeros((1, 3, max(height, MIN_CANVAS), max(width, MIN_CANVAS)), np.float32)
    top, left = (canvas.shape[2] - height) // 2, (canvas.shape[3] - width) // 2
    inside = canvas[0, :, top : top + height, left : left + width]
    # Channel by channel: three times as fast as normalising and transposing the whole picture.
    for channel, plane in enumerate(inside):
        cv2.LUT(cv2.extractChannel(small, 2 - channel), LEVELS[channel], dst=plane)
    return canvas, (top, left, height, width)


def regions_of(chances: Array, *, size: tuple[int, int], options: DetectionOptions) -> list[Region]:
    """Turn the net's map into boxes.

    Args:
        chances: float32 (h, w) in [0, 1], the map without canvas.
        size: height and width of the photo; boxes are scaled to it.
        options: thresholds.

    Returns:
        Regions in no particular order.
    """
    scale = np.array([size[1] / chances.shape[1], size[0] / chances.shape[0]], np.float32)
    found = []
    for contour in _cores(chances > options.core_threshold, options.max_boxes):
        rectangle = cv2.minAreaRect(contour)
        if min(rectangle[1]) < MIN_CORE:
            continue
        score = _mean_inside(chances, cv2.boxPoints(rectangle))
        if score < options.box_threshold:
            continue
        corners = _grown(rectangle, options.growth)
        quad = clockwise(corners * scale)
        if _sides(corners).min() < MIN_BOX or _sides(quad).min() <= MIN_SIDE:
            continue
        found.append(Region(quad, score))
    return found


class Detector:
    """The detection net: RGB picture in, boxes out. Holds no state per call."""

    def __init__(self, session: Session, options: DetectionOptions) -> None:
        self._session = session
        self._options = options
        self._input = session.inputs[0].name

    def detect(self, rgb: Array) -> list[Region]:
        """Find the lines of a uint8 (H, W, 3) picture, in no particular order."""
        tensor, (top, left, height, width) = to_tensor(rgb, self._options)
        answer = self._session.run({self._input: tensor})[0]
        chances = np.ascontiguousarray(answer[0, 0, top : top + height, left : left + width])
        return regions_of(chances, size=(rgb.shape[0], rgb.shape[1]), options=self._options)


def _cores(mask: Array, limit: int) -> list[Array]:
    # The 2 x 2 dilation closes cores that thin strokes tear apart; it is part of how the model's
    # authors measure it.
    closed = cv2.dilate(mask.astype(np.uint8), np.ones((2, 2), np.uint8))
    # RETR_CCOMP tells outer borders from holes, and keeps a line that lies inside a ring of text.
    contours, hierarchy = cv2.findContours(closed, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return []
    outer = [
        contour
        for contour, links in zip(contours, np.reshape(hierarchy, (-1, 4)), strict=True)
        if links[3] < 0
    ]
    if len(outer) > limit:
        outer = sorted(outer, key=cv2.contourArea, reverse=True)[:limit]
    return outer


def _sides(corners: Array) -> Array:
    lengths: Array = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    return lengths


def _mean_inside(chances: Array, corners: Array) -> float:
    height, width = chances.shape
    low = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, (width - 1, height - 1))
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int), 0, (width - 1, height - 1))
    mask = np.zeros((high[1] - low[1] + 1, high[0] - low[0] + 1), np.uint8)
    cv2.fillPoly(mask, [(corners - low).astype(np.int32)], (1,))
    part = chances[low[1] : high[1] + 1, low[0] : high[0] + 1]
    return min(1.0, float(cv2.mean(part, mask)[0]))


def _grown(rectangle: RotatedRect, by: float) -> Array:
    # Offsetting a rectangle with round joins and taking the smallest rectangle around it is the
    # same as adding the distance on every side, so no polygon clipper is needed.
    centre, (width, height), angle = rectangle
    distance = width * height * by / max(2 * (width + height), math.ulp(1.0))
    return cv2.boxPoints((centre, (width + 2 * distance, height + 2 * distance), angle))
