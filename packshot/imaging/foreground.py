"""Colours of the subject itself: what the background left in half-transparent pixels is taken out.

Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021: two passes of blur fusion.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from packshot.imaging.grid import Bytes, Floats, Grid, Tile

#: Cells along the longer side: half of a picture of 1024. Measured better than full size (the blurs
#: see less noise), and a correction at full size made it worse: it repeats the errors of the alpha.
SIDE = 512
#: Side of the two blurs, in pixels of a picture whose longer side is 1024: far, then near.
FAR, NEAR = 90, 12
#: Cells of the fine grid along one of the grid for the far blur, whose means vary slowly.
FAR_CELL = 4
#: The least and the largest alpha of a pixel that shows both.
BETWEEN = (1, 254)
#: Keeps a division by a blurred alpha of nothing finite; the paper's value.
TINY = 1e-5


def decontaminate(rgb: Bytes, alpha: Bytes) -> Bytes:
    """Estimate the subject's own colour in every pixel with an alpha between 0 and 255.

    Args:
        rgb: uint8, H x W x 3: the photo, a mixture of subject and background.
        alpha: uint8, H x W.

    Returns:
        uint8, H x W x 3, a new array; pixels with alpha 0 or 255 are those of `rgb`.
    """
    clean = rgb.copy()
    grid = Grid.over(alpha.shape, SIDE)
    shares = grid.shrink_bytes(alpha)
    mixed = (shares > 0) & (shares < 255)
    if not mixed.any():
        return clean
    small = np.multiply(shares, np.float32(1 / 255), dtype=np.float32)
    layers = _Layers.of(grid.shrink_bytes(rgb).astype(np.float32), small, grid.cells(FAR))
    side = grid.cells(NEAR)
    for tile in grid.tiles(margin=side // 2 + 1):
        if not mixed[tile.near].any():
            continue
        band = cv2.inRange(alpha[tile.pixels], *BETWEEN)
        # Most tiles near the edge have none of it themselves.
        if cv2.countNonZero(band):
            colours = cv2.convertScaleAbs(grid.enlarge(layers.subject(tile, side), tile))
            clean[tile.pixels] = cv2.copyTo(colours, band, clean[tile.pixels])
    return clean


def cutout(rgb: Bytes, alpha: Bytes) -> Bytes:
    """The subject with its own colours and its alpha: uint8 RGBA, H x W x 4, not premultiplied.

    Colour is zero where alpha is: it is invisible there, and PNG packs zeros well.
    """
    return pack(decontaminate(rgb, alpha), alpha)


def pack(colours: Bytes, alpha: Bytes) -> Bytes:
    """Colours that are clean already and a uint8 alpha as RGBA; colour 0 where alpha is 0."""
    picture = cv2.merge([colours, alpha])
    return np.asarray(cv2.bitwise_and(picture, picture, mask=alpha), np.uint8)


@dataclass(frozen=True, slots=True)
class _Layers:
    """What the far pass found: subject and background around each cell, rows x columns x 6."""

    rgb: Floats
    alpha: Floats
    far: Floats

    @classmethod
    def of(cls, rgb: Floats, alpha: Floats, side: int) -> "_Layers":
        grid = Grid(alpha.shape[0], alpha.shape[1], FAR_CELL)
        wide = grid.shrink(rgb)
        layers = _blend(wide, wide, grid.shrink(alpha), max(1, round(side / FAR_CELL)))
        return cls(rgb, alpha, grid.spread(np.dstack(layers)))

    def subject(self, tile: Tile, side: int) -> Floats:
        """The near pass: the subject's colour, in [0, 255], in the cells near a tile."""
        rgb, alpha, far = self.rgb[tile.near], self.alpha[tile.near], self.far[tile.near]
        subject, behind = far[..., :3], far[..., 3:]
        subject = _correct(subject, behind, rgb, alpha)
        subject, behind = _blend(subject, behind, alpha, side)
        return _correct(subject, behind, rgb, alpha)


def _correct(subject: Floats, behind: Floats, rgb: Floats, alpha: Floats) -> Floats:
    """Give the subject its part of what the mixture of both layers leaves unexplained."""
    share = alpha[..., None]
    mixture = share * subject + (1 - share) * behind
    return np.clip(subject + share * (rgb - mixture), 0, 255)


def _blend(subject: Floats, behind: Floats, alpha: Floats, side: int) -> tuple[Floats, Floats]:
    """Means of both layers over a square, weighted with how much of each layer a cell shows."""
    share = alpha[..., None]
    weight = _blur(alpha, side)[..., None]
    mean_subject = _blur(subject * share, side) / (weight + TINY)
    mean_behind = _blur(behind * (1 - share), side) / (1 - weight + TINY)
    return mean_subject, mean_behind


def _blur(values: Floats, side: int) -> Floats:
    return np.asarray(cv2.blur(values, (side, side)), np.float32)
