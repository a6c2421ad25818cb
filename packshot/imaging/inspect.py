"""What an alpha matte looks like: how much, where, how many parts, how sure."""

from dataclasses import dataclass

import cv2
import numpy as np

from packshot.imaging.grid import Bytes, Floats
from packshot.results import Box

#: An alpha strictly between these is uncertain.
UNCERTAIN = (0.05, 0.95)
#: From this alpha on a pixel belongs to the subject.
SOLID = 0.5
#: A part is a subject of its own from this share of the largest part's area on.
PART = 0.05
#: A hole counts from this share of the subject's area on.
HOLE = 0.02
#: Parts of this share of the largest part's area, or of this share of the picture's, are dust: they
#: do not even widen the box.
DUST, SPECK = 0.005, 5e-5
#: A subject touches a side of the picture when it lies on this share of the side, or more: a hair
#: or a handle that just reaches the border does not.
CONTACT = 0.05
SIDES = ("top", "right", "bottom", "left")


@dataclass(frozen=True, slots=True)
class Facts:
    """Measured on one alpha. Lengths are in pixels; areas are shares.

    Attributes:
        coverage: mean alpha, so the subject's share of the picture, in [0, 1].
        uncertain: pixels with an alpha strictly between 0.05 and 0.95, relative to the subject's
            area; 0 for an empty matte, above 1 where little is certain.
        box: around every part that is not dust; None when there is none.
        subjects: the separate parts that are worth counting.
        largest: share of the subject's area in the largest part; 0 for an empty matte.
        holes: openings of the background inside the subject that are large enough to count.
        contact: share of each side's length that the subject lies on: top, right, bottom, left.
        touches: names of the sides where that is a meaningful length.
    """

    coverage: float
    uncertain: float
    box: Box | None
    subjects: int
    largest: float
    holes: int
    contact: tuple[float, float, float, float]
    touches: tuple[str, ...]


def inspect(alpha: Floats) -> Facts:
    """Measure an alpha matte: float32, H x W, in [0, 1]."""
    solid = np.asarray(cv2.inRange(alpha, SOLID, np.inf), np.uint8)
    area = cv2.countNonZero(solid)
    low, high = np.float32(UNCERTAIN[0]), np.float32(UNCERTAIN[1])
    one, zero = np.float32(1), np.float32(0)
    # The bounds of inRange are inclusive: step over them.
    mixed = cv2.inRange(alpha, float(np.nextafter(low, one)), float(np.nextafter(high, zero)))
    contact = _contact(solid)
    areas, box = _parts(solid)
    return Facts(
        coverage=float(cv2.mean(alpha)[0]),
        uncertain=cv2.countNonZero(mixed) / area if area else 0.0,
        box=box,
        subjects=len(areas),
        largest=max(areas) / area if areas else 0.0,
        holes=_holes(solid, area) if areas else 0,
        contact=contact,
        touches=tuple(n for n, share in zip(SIDES, contact, strict=True) if share >= CONTACT),
    )


def _parts(solid: Bytes) -> tuple[list[int], Box | None]:
    """Areas of the subjects, in pixels, and the box around all parts but dust."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8, ltype=cv2.CV_32S)
    found = stats[1:]
    if not len(found):
        return [], None
    areas = found[:, cv2.CC_STAT_AREA]
    largest = int(areas.max())
    kept = found[areas > max(DUST * largest, SPECK * solid.size)]
    if not len(kept):
        return [], None
    left, top = kept[:, cv2.CC_STAT_LEFT], kept[:, cv2.CC_STAT_TOP]
    right, bottom = left + kept[:, cv2.CC_STAT_WIDTH], top + kept[:, cv2.CC_STAT_HEIGHT]
    box = Box(
        left=int(left.min()), top=int(top.min()), right=int(right.max()), bottom=int(bottom.max())
    )
    return [int(area) for area in areas if area >= PART * largest], box


def _holes(solid: Bytes, area: int) -> int:
    """Background that no path leads out of, from `HOLE` of the subject's area on."""
    height, width = solid.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(
        cv2.bitwise_not(solid), connectivity=4, ltype=cv2.CV_32S
    )
    inside = (
        (stats[:, cv2.CC_STAT_LEFT] > 0)
        & (stats[:, cv2.CC_STAT_TOP] > 0)
        & (stats[:, cv2.CC_STAT_LEFT] + stats[:, cv2.CC_STAT_WIDTH] < width)
        & (stats[:, cv2.CC_STAT_TOP] + stats[:, cv2.CC_STAT_HEIGHT] < height)
    )
    # Row 0 is the subject itself, the "background" of the inverted picture.
    inside[0] = False
    return int(np.count_nonzero(stats[inside, cv2.CC_STAT_AREA] >= HOLE * area))


def _contact(solid: Bytes) -> tuple[float, float, float, float]:
    top, right, bottom, left = (
        float(np.count_nonzero(side) / side.size)
        for side in (solid[0], solid[:, -1], solid[-1], solid[:, 0])
    )
    return top, right, bottom, left
