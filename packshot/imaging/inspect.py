"""What an alpha matte looks like: how much, where, how many parts, how sure."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from packshot.imaging.grid import Bytes, Grid
from packshot.results import Box

#: An alpha strictly between these is uncertain.
UNCERTAIN = (0.05, 0.95)
#: From this alpha on (0.5) a pixel belongs to the subject.
SOLID = 128
#: Parts and holes are counted on a grid of about this many cells along the longer side.
SIDE = 512
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


def inspect(alpha: Bytes) -> Facts:
    """Measure an alpha matte: uint8, H x W."""
    solid = np.asarray(cv2.inRange(alpha, SOLID, 255), np.uint8)
    area = cv2.countNonZero(solid)
    low, high = (255 * limit for limit in UNCERTAIN)
    # The bounds of inRange are inclusive: the next levels within.
    mixed = cv2.inRange(alpha, math.floor(low) + 1, math.ceil(high) - 1)
    grid = Grid.over(alpha.shape, SIDE)
    # A cell belongs to the subject as soon as one of its pixels does: threads do not fall apart.
    cells = np.asarray(grid.shrink_bytes(solid) > 0, np.uint8)
    contact = _contact(solid)
    areas, outer = _parts(cells, grid.cell)
    return Facts(
        coverage=cv2.sumElems(alpha)[0] / (255 * alpha.size),
        uncertain=cv2.countNonZero(mixed) / area if area else 0.0,
        box=_exact(solid, outer) if outer else None,
        subjects=len(areas),
        largest=max(areas) / cv2.countNonZero(cells) if areas else 0.0,
        holes=_holes(cells) if areas else 0,
        contact=contact,
        touches=tuple(n for n, share in zip(SIDES, contact, strict=True) if share >= CONTACT),
    )


def _parts(cells: Bytes, size: int) -> tuple[list[int], Box | None]:
    """Areas of the subjects, in cells, and a box in pixels around all parts but dust."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(cells, connectivity=8, ltype=cv2.CV_32S)
    areas = stats[1:, cv2.CC_STAT_AREA]
    largest = int(areas.max(initial=0))
    kept = stats[1:][areas > max(DUST * largest, SPECK * cells.size)]
    if not len(kept):
        return [], None
    left, top = kept[:, cv2.CC_STAT_LEFT], kept[:, cv2.CC_STAT_TOP]
    right, bottom = left + kept[:, cv2.CC_STAT_WIDTH], top + kept[:, cv2.CC_STAT_HEIGHT]
    corners = (int(end) * size for end in (left.min(), top.min(), right.max(), bottom.max()))
    box = Box(**dict(zip(("left", "top", "right", "bottom"), corners, strict=True)))
    return [int(area) for area in areas if area >= PART * largest], box


def _exact(solid: Bytes, outer: Box) -> Box:
    """The box shrunk to the pixels of the subject in it."""
    part = solid[outer.top : outer.bottom, outer.left : outer.right]
    x, y, width, height = cv2.boundingRect(part)
    left, top = outer.left + x, outer.top + y
    return Box(left=left, top=top, right=left + width, bottom=top + height)


def _holes(cells: Bytes) -> int:
    """Background that no path leads out of, from `HOLE` of the subject's area on."""
    height, width = cells.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(1 - cells, connectivity=4, ltype=cv2.CV_32S)
    inside = (
        (stats[:, cv2.CC_STAT_LEFT] > 0)
        & (stats[:, cv2.CC_STAT_TOP] > 0)
        & (stats[:, cv2.CC_STAT_LEFT] + stats[:, cv2.CC_STAT_WIDTH] < width)
        & (stats[:, cv2.CC_STAT_TOP] + stats[:, cv2.CC_STAT_HEIGHT] < height)
    )
    # Row 0 is the subject itself, the "background" of the inverted picture.
    inside[0] = False
    large = stats[:, cv2.CC_STAT_AREA] >= HOLE * cv2.countNonZero(cells)
    return int(np.count_nonzero(inside & large))


def _contact(solid: Bytes) -> tuple[float, float, float, float]:
    top, right, bottom, left = (
        float(np.count_nonzero(side) / side.size)
        for side in (solid[0], solid[:, -1], solid[-1], solid[:, 0])
    )
    return top, right, bottom, left
