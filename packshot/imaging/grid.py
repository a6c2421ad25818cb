"""A coarse grid over a picture, and the tiles in which to work at full size.

What a matte needs to know varies slowly, so it is computed on a grid of square cells and brought to
full size by bilinear interpolation, tile by tile and only in those tiles where it is needed. A cell
is a whole number of pixels: so a tile interpolates to exactly what the whole grid would.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.imaging.scale import shrink

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Region = tuple[slice, slice]
Pixels = TypeVar("Pixels", Bytes, Floats)

#: Cells along a tile's side. Large enough that Python's share is small, small enough that a tile's
#: working set stays in the processor's cache and a thin band touches few of them.
TILE_CELLS = 32
#: The shorter side keeps at least this many cells, so that a strip is not shrunk to nothing.
MIN_CELLS = 32


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of the picture: its pixels, its cells with a margin, and its own cells among those."""

    pixels: Region
    near: Region
    inner: Region


@dataclass(frozen=True, slots=True)
class Grid:
    """Square cells of `cell` pixels over a picture `height` x `width`; the last may hang over."""

    height: int
    width: int
    cell: int

    @classmethod
    def over(cls, shape: tuple[int, ...], side: int) -> "Grid":
        """The grid that has about `side` cells along the longer side of a picture (H, W, ...)."""
        height, width = shape[:2]
        largest = max(1, min(height, width) // MIN_CELLS)
        return cls(height, width, min(largest, max(1, round(max(height, width) / side))))

    @property
    def rows(self) -> int:
        """Cells from top to bottom."""
        return -(-self.height // self.cell)

    @property
    def columns(self) -> int:
        """Cells from left to right."""
        return -(-self.width // self.cell)

    def cells(self, length: float) -> int:
        """A length in cells, at least 1; given in pixels of a picture whose longer side is 1024."""
        return max(1, round(length * max(self.height, self.width) / 1024 / self.cell))

    def shrink_bytes(self, picture: Bytes) -> Bytes:
        """Mean over each cell, of a uint8 picture with any number of channels."""
        if self.cell == 1:
            return picture
        return shrink(self._whole(picture), self.columns, self.rows)

    def shrink(self, picture: Floats) -> Floats:
        """Mean over each cell, of a float32 picture with any number of channels."""
        if self.cell == 1:
            return picture
        size = (self.columns, self.rows)
        small = cv2.resize(self._whole(picture), size, interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.float32)

    def resample(self, mask: Floats) -> Floats:
        """Read a mask of any size, which covers the picture, at the cells' centres."""
        if mask.shape[0] > self.rows and mask.shape[1] > self.columns:
            mask = _resize(mask, self.rows, self.columns, cv2.INTER_AREA)
        # A plain enlargement would take the grid for as large as the picture, but it may hang over.
        down, across = (
            self.cell * mask.shape[0] / self.height,
            self.cell * mask.shape[1] / self.width,
        )
        y = (np.arange(self.rows) * down + (down - 1) / 2).astype(np.float32)
        x = (np.arange(self.columns) * across + (across - 1) / 2).astype(np.float32)
        places = np.tile(x, (self.rows, 1)), np.tile(y[:, None], (1, self.columns))
        border = cv2.BORDER_REPLICATE
        return np.asarray(cv2.remap(mask, *places, cv2.INTER_LINEAR, borderMode=border), np.float32)

    def spread(self, field: Floats) -> Floats:
        """Bilinear values of a whole field (rows x columns x channels) at every pixel."""
        large = _resize(field, self.rows * self.cell, self.columns * self.cell, cv2.INTER_LINEAR)
        return large[: self.height, : self.width]

    def tiles(self, margin: int = 1) -> Iterator[Tile]:
        """Every tile, row by row; together they cover the picture once.

        `margin` is how many cells more than its own a tile sees on each side; `enlarge` needs 1.
        """
        for top in range(0, self.rows, TILE_CELLS):
            down = _span(top, self.rows, self.cell, self.height, margin)
            for left in range(0, self.columns, TILE_CELLS):
                across = _span(left, self.columns, self.cell, self.width, margin)
                yield Tile(*zip(down, across, strict=True))

    def enlarge(self, near: Floats, tile: Tile) -> Floats:
        """Bilinear values at a tile's pixels, of a field given in the cells near the tile."""
        rows, columns = near.shape[:2]
        large = _resize(near, rows * self.cell, columns * self.cell, cv2.INTER_LINEAR)
        down, across = tile.pixels
        top, left = tile.inner[0].start * self.cell, tile.inner[1].start * self.cell
        return large[top : top + down.stop - down.start, left : left + across.stop - across.start]

    def _whole(self, picture: Pixels) -> Pixels:
        """The picture in whole cells: what the last ones lack repeats its edge."""
        below, right = self.rows * self.cell - self.height, self.columns * self.cell - self.width
        if not (below or right):
            return picture
        border = cv2.BORDER_REPLICATE
        larger = cv2.copyMakeBorder(picture, 0, below, 0, right, border)
        return larger.astype(picture.dtype, copy=False)


def _resize(field: Floats, rows: int, columns: int, how: int) -> Floats:
    if field.shape[:2] == (rows, columns):
        return field
    return np.asarray(cv2.resize(field, (columns, rows), interpolation=how), np.float32)


def _span(
    start: int, cells: int, cell: int, pixels: int, margin: int
) -> tuple[slice, slice, slice]:
    stop = min(start + TILE_CELLS, cells)
    near = slice(max(0, start - margin), min(cells, stop + margin))
    inner = slice(start - near.start, stop - near.start)
    return slice(start * cell, min(stop * cell, pixels)), near, inner
