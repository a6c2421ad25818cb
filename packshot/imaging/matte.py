"""From a coarse saliency mask to an alpha matte at the picture's own size."""

import cv2
import numpy as np

from packshot.imaging import guided
from packshot.imaging.grid import Bytes, Floats, Grid

#: Cells along the longer side of the picture: 4 x 4 pixels of a picture of 1024.
SIDE = 256
#: Radius of the filter's window, in pixels of a picture whose longer side is 1024.
RADIUS = 32
#: Contrast (squared, guide in [0, 1]) below which the filter follows no edge of the picture.
EPS = 1e-4
#: The filter leaves a grey veil: what is below or above is taken for nothing or everything.
LOW, HIGH = 0.1, 0.9
#: How far the filter may move the edge of the coarse mask, in pixels at 1024.
REACH = 12


def refine(rgb: Bytes, coarse: Floats) -> Floats:
    """Bring a coarse mask to full size and move its edge onto the picture's edges.

    Bilinear -> colour fast guided filter -> smoothstep -> clamp to the eroded and dilated mask.

    Args:
        rgb: uint8, H x W x 3.
        coarse: float32 in [0, 1], of any size; it covers the whole picture. NaN counts as 0.

    Returns:
        float32, H x W, in [0, 1], finite.
    """
    grid = Grid.over(rgb.shape, SIDE)
    mask = np.clip(np.nan_to_num(grid.resample(np.nan_to_num(coarse))), 0.0, 1.0)
    lines = guided.fit(grid.shrink_bytes(rgb), mask, radius=grid.cells(RADIUS), eps=EPS)
    bounds = _bounds(mask, grid.cells(REACH))
    alpha = np.empty(rgb.shape[:2], np.float32)
    for tile in grid.tiles():
        floor, ceiling = bounds[tile.near][..., 0], bounds[tile.near][..., 1]
        # Most tiles lie wholly inside or outside, where the clamp alone decides.
        if floor.min() >= 1.0:
            alpha[tile.pixels] = 1.0
        elif ceiling.max() <= 0.0:
            alpha[tile.pixels] = 0.0
        else:
            value = guided.apply(grid.enlarge(lines[tile.near], tile), rgb[tile.pixels])
            limit = grid.enlarge(bounds[tile.near], tile)
            alpha[tile.pixels] = clamp(smoothstep(value, LOW, HIGH), limit[..., 0], limit[..., 1])
    return alpha


def smoothstep(values: Floats, low: float, high: float) -> Floats:
    """0 up to `low`, 1 from `high`, 3t^2 - 2t^3 between them."""
    t = (values - np.float32(low)) * np.float32(1 / (high - low))
    np.clip(t, 0.0, 1.0, out=t)
    result: Floats = t * t * (3 - 2 * t)
    return result


def clamp(values: Floats, floor: Floats, ceiling: Floats) -> Floats:
    """Values held between two maps, pixel by pixel; the floor wins where they cross."""
    return np.maximum(np.minimum(values, ceiling), floor)


def _bounds(mask: Floats, reach: int) -> Floats:
    """Floor and ceiling of alpha: rows x columns x 2.

    The floor is 1 where the mask is sure of the subject all around, the ceiling 0 where it is sure
    of the background. Enlarged, both are soft, so that the clamp leaves no steps.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    floor = cv2.erode((mask > HIGH).astype(np.float32), kernel)
    ceiling = cv2.dilate((mask >= LOW).astype(np.float32), kernel)
    return np.dstack([floor, ceiling])
