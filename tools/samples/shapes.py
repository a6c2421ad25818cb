"""What several products share: outlines, curves, bands of colour, and placing a whole product."""

from collections.abc import Callable

import numpy as np

from tools.samples.scene import Part, turned
from tools.samples.solids import Array
from tools.samples.textures import linear

Product = tuple[Part, ...]


def place(
    product: Product, x: float = 0.0, z: float = 0.0, *, facing: float = 0.0, y: float = 0.0
) -> Product:
    """Turn a product about its upright axis (degrees) and put it on the table."""
    turn = turned(y=facing)
    return tuple(part.placed((x, y, z), turn) for part in product)


def outline(text: str) -> list[tuple[float, float]]:
    """Points from "x y, x y, ..."."""
    pairs = [pair.split() for pair in text.strip(", ").split(",")]
    return [(float(x), float(y)) for x, y in pairs]


def curve(points: list[tuple[float, float]]) -> Callable[[Array], Array]:
    """A smooth function through (v, value) points, as a table."""
    at, value = np.array(points, np.float32).T
    grid = np.linspace(0, 1, 1025)
    table = np.interp(grid, at, value)
    kernel = np.hanning(91)
    table = np.convolve(np.pad(table, 45, mode="edge"), kernel / kernel.sum(), mode="valid")

    def function(v: Array) -> Array:
        place = np.clip(v, 0, 1) * 1024
        low = np.minimum(place.astype(np.int32), 1023)
        part = place - low
        return np.asarray(table[low] * (1 - part) + table[low + 1] * part, np.float32)

    return function


def bands(rows: list[tuple[float, float, str]]) -> Callable[[Array], Array]:
    """A colour by height: rows of (from, to, colour), cm."""

    def tint(p: Array) -> Array:
        colour = np.ones((p.shape[1], 3), np.float32)
        for low, high, name in rows:
            colour[(p[1] >= low) & (p[1] < high)] = linear(name)
        return colour

    return tint


def knurled(count: int) -> Callable[[Array], Array]:
    """Grooves along y around a cap: a height field in cm."""

    def height(p: Array) -> Array:
        return np.asarray(0.03 * np.cos(np.arctan2(p[0], p[2]) * count), np.float32)

    return height
