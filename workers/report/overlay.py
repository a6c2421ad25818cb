"""The boxes around the lines of text, drawn over the photo."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from packshot.results import Point
from workers.report.evidence import Evidence

#: The photo is shown in a field of about this size (CSS pixels): what labels are measured for.
_WIDTH: Final = 400
_HEIGHT: Final = 420
#: Height of a label's figures on the screen, CSS pixels.
_FIGURES: Final = 10


@dataclass(frozen=True, slots=True)
class Box:
    """One line's box: SVG points, where its number stands, and whether it was surely read."""

    number: int
    points: str
    x: float
    y: float
    sure: bool


@dataclass(frozen=True, slots=True)
class Overlay:
    """All boxes of a photo, in the pixels of the working image; `font` is a height in them."""

    width: int
    height: int
    font: float
    boxes: tuple[Box, ...]


def overlay(found: Evidence, threshold: float) -> Overlay | None:
    """Boxes for the lines of a photo, or None where there are none.

    Args:
        found: what is known.
        threshold: probability under which a line counts as unsure.
    """
    if found.photo is None or found.text is None or not found.text.lines:
        return None
    width, height = found.photo.width, found.photo.height
    font = round(_FIGURES * max(width / _WIDTH, height / _HEIGHT), 1)
    boxes = tuple(
        _box(number, line.polygon, (width, height), font, sure=line.probability >= threshold)
        for number, line in enumerate(found.text.lines, 1)
    )
    return Overlay(width, height, font, boxes)


def _box(
    number: int, polygon: Sequence[Point], size: tuple[int, int], font: float, *, sure: bool
) -> Box:
    points = " ".join(f"{x:.0f},{y:.0f}" for x, y in polygon)
    (ax, ay), (bx, by) = polygon[:2]
    length = math.hypot(bx - ax, by - ay) or 1.0
    # The number stands before the line's first letter, not on it, and stays whole at the rim.
    x, y = (
        min(max(at - font * along / length, font), max(side - font, font))
        for at, along, side in zip((ax, ay), (bx - ax, by - ay), size, strict=True)
    )
    return Box(number, points, round(x, 1), round(y, 1), sure)
