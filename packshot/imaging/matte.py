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
#: Where the picture explains less than the first share of the mask's edge, as with a white box on
#: white, the coarse mask itself is better than the filter's blur; above the second, the filter
#: alone decides. Measured: at a contrast of 4 levels the error halves, from 15 on it stays.
BLIND, CLEAR = 0.3, 0.7


def refine(rgb: Bytes, coarse: Floats) -> Floats:
    """Bring a coarse mask to full size and move its edge onto the picture's edges.

    Bilinear -> colour fast guided filter, the mask itself where the picture shows no edge ->
    smoothstep -> clamp to the eroded and dilated mask.

    Args:
        rgb: uint8, H x W x 3.
        coarse: float32 in [0, 1], of any size; it covers the whole picture. NaN counts as 0.

    Returns:
        float32, H x W, in [0, 1], finite.
    """
    grid = Grid.over(rgb.shape, SIDE)
    mask = np.clip(grid.resample(np.nan_to_num(coarse)), 0.0, 1.0)
    model = fit(grid, rgb, mask)
    bounds = limits(mask, grid.cells(REACH))
    alpha = np.empty(rgb.shape[:2], np.float32)
    for tile in grid.tiles():
        near = bounds[tile.near]
        # Most tiles lie wholly inside or outside, where the clamp alone decides.
        if near[..., 0].min() >= 1.0:
            alpha[tile.pixels] = 1.0
        elif near[..., 1].max() <= 0.0:
            alpha[tile.pixels] = 0.0
        else:
            parts = grid.enlarge(model[tile.near], tile), grid.enlarge(near, tile)
            alpha[tile.pixels] = evaluate(*parts, rgb[tile.pixels])
    return alpha


def fit(grid: Grid, rgb: Bytes, mask: Floats) -> Floats:
    """All that `evaluate` needs to know: rows x columns x 6: lines, trust in them, mask."""
    found = guided.fit(grid.shrink_bytes(rgb), mask, radius=grid.cells(RADIUS), eps=EPS)
    trust = np.clip((found.explained - BLIND) / (CLEAR - BLIND), 0.0, 1.0)
    return np.dstack([found.lines, trust, mask])


def limits(mask: Floats, reach: int) -> Floats:
    """Floor and ceiling of alpha: rows x columns x 2.

    The floor is 1 where the mask is sure of the subject all around, the ceiling 0 where it is sure
    of the background. Enlarged, both are soft, so that the clamp leaves no steps.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    floor = cv2.erode((mask > HIGH).astype(np.float32), kernel)
    ceiling = cv2.dilate((mask >= LOW).astype(np.float32), kernel)
    return np.dstack([floor, ceiling])


def evaluate(model: Floats, bounds: Floats, rgb: Bytes) -> Floats:
    """Alpha of the pixels in `rgb`, from what was fitted, enlarged to the same size."""
    mask = model[..., 5]
    value = mask + model[..., 4] * (guided.apply(model[..., :4], rgb) - mask)
    return clamp(smoothstep(value, LOW, HIGH), bounds[..., 0], bounds[..., 1])


def smoothstep(values: Floats, low: float, high: float) -> Floats:
    """0 up to `low`, 1 from `high`, 3t^2 - 2t^3 between them."""
    t = (values - np.float32(low)) * np.float32(1 / (high - low))
    np.clip(t, 0.0, 1.0, out=t)
    result: Floats = t * t * (3 - 2 * t)
    return result


def clamp(values: Floats, floor: Floats, ceiling: Floats) -> Floats:
    """Values held between two maps, pixel by pixel; the floor wins where they cross."""
    return np.maximum(np.minimum(values, ceiling), floor)
