"""Reading order: lines grouped by direction, then cut into rows and columns.

Every line runs along a direction u and the next line follows along v, u turned clockwise by a
quarter: down for horizontal text, to the left for columns read from the top, as in vertical
Chinese and Japanese. So one rule serves every direction. Within a direction the lines are cut
recursively at gaps (X-Y cut, Nagy and Seth 1984): rows first, and where rows overlap, columns.
"""

import math
from collections.abc import Sequence

import numpy as np

from models.session import Array

#: Share of a line's extent that counts when gaps are looked for. Boxes of neighbouring lines
#: overlap by a few pixels after they were grown; their cores do not. Much less than this, and the
#: rows of two columns side by side that do not line up would be told apart as well.
ROW_CORE = 0.75
COLUMN_CORE = 0.96
#: Directions are told apart by quarters of a turn.
QUARTERS = 4


def reading_order(quads: Sequence[Array], directions: Sequence[float]) -> list[int]:
    """The order in which a person would read these lines.

    Args:
        quads: (4, 2) corners of each line (pixels, y down), any corner first.
        directions: for each line the angle in which its text runs (radians; 0 to the right,
            pi / 2 down).

    Returns:
        Indices into `quads`. Lines of the direction that most text (by length) runs in come
        first; other directions follow, each on its own.
    """
    groups: dict[int, list[int]] = {}
    for index, angle in enumerate(directions):
        quarter = round(angle / (math.pi / 2)) % QUARTERS
        groups.setdefault(quarter, []).append(index)
    extents = [_extent(quad) for quad in quads]
    ranked = sorted(
        groups.values(), key=lambda group: (-sum(extents[index] for index in group), group[0])
    )
    order: list[int] = []
    for group in ranked:
        order.extend(_in_group(group, quads, _mean_angle(group, directions, extents)))
    return order


def direction(own: Array, *, column: bool = False) -> float:
    """The angle in which a line's text runs (radians), from its corners in the text's own order.

    Args:
        own: (4, 2) corners, clockwise from the text's own top left.
        column: upright characters stacked downwards: the text runs from the top to the bottom.
    """
    start, end = (
        (own[0] + own[1], own[2] + own[3]) if column else (own[0] + own[3], own[1] + own[2])
    )
    run = end - start
    return math.atan2(float(run[1]), float(run[0]))


def _extent(quad: Array) -> float:
    return float(np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1).max())


def _mean_angle(group: list[int], angles: Sequence[float], weights: list[float]) -> float:
    x = sum(weights[index] * math.cos(angles[index]) for index in group)
    y = sum(weights[index] * math.sin(angles[index]) for index in group)
    return math.atan2(y, x)


def _in_group(group: list[int], quads: Sequence[Array], angle: float) -> list[int]:
    along = np.array([math.cos(angle), math.sin(angle)])
    across = np.array([-along[1], along[0]])
    points = np.stack([quads[index] for index in group]).astype(np.float64)
    spans = np.stack([_core(points @ along, COLUMN_CORE), _core(points @ across, ROW_CORE)], axis=1)
    return [group[place] for place in _cut(spans, list(range(len(group))))]


def _core(projected: Array, share: float) -> Array:
    low, high = projected.min(axis=1), projected.max(axis=1)
    trim = (high - low) * (1 - share) / 2
    return np.stack([low + trim, high - trim], axis=1)


def _cut(spans: Array, chosen: list[int]) -> list[int]:
    # spans: (n, 2, 2), for each line (along, across) its (low, high).
    if len(chosen) <= 1:
        return chosen
    for axis in (1, 0):
        parts = _parts(spans[:, axis], chosen)
        if len(parts) > 1:
            return [index for part in parts for index in _cut(spans, part)]
    return _by_rows(spans, chosen)


def _parts(spans: Array, chosen: list[int]) -> list[list[int]]:
    ordered = sorted(chosen, key=lambda index: (spans[index, 0], index))
    parts, end = [[ordered[0]]], spans[ordered[0], 1]
    for index in ordered[1:]:
        if spans[index, 0] >= end:
            parts.append([])
        parts[-1].append(index)
        end = max(end, spans[index, 1])
    return parts


def _by_rows(spans: Array, chosen: list[int]) -> list[int]:
    # Interlocked lines that no straight gap separates: the first line by its middle opens a row,
    # which takes every line whose middle lies within it.
    middles = spans[:, 1].mean(axis=1)
    rest = sorted(chosen, key=lambda index: (middles[index], index))
    order: list[int] = []
    while rest:
        low, high = spans[rest[0], 1]
        row = [index for index in rest if low <= middles[index] <= high]
        order.extend(sorted(row, key=lambda index: (spans[index, 0, 0], index)))
        rest = [index for index in rest if index not in set(row)]
    return order
