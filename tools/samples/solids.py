"""Solids as signed fields, and where a ray meets them.

Points and directions are float32 arrays of shape (3, N) in centimetres, y up. A field is negative
inside; it need not be a distance, only change its sign at the surface.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Floats; in practice float32 throughout, which halves the time of drawing.
Array = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]
Field = Callable[[Array], Array]

#: Halvings after the crossing was bracketed: a step of 1 cm ends at 10 micrometres.
_HALVINGS = 10
#: Entries of a lathe's radius table: finer than a pixel on any sample.
_TABLE = 4096


@dataclass(frozen=True, slots=True)
class Solid:
    """A field and the box it lies in. `steps` is how finely rays are walked through the box."""

    field: Field
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    steps: int = 40
    #: Half the distance over which a normal is measured, cm.
    grain: float = 0.01

    def normal(self, p: Array) -> Array:
        """Outward unit normals at points (3, N) on the surface, by central differences."""
        n = np.empty_like(p)
        for axis in range(3):
            shift = np.zeros((3, 1), np.float32)
            shift[axis] = self.grain
            n[axis] = self.field(p + shift) - self.field(p - shift)
        return np.asarray(n / (np.linalg.norm(n, axis=0) + 1e-12), np.float32)

    def hit(self, origin: Array, direction: Array, *, inside: bool = False) -> Array:
        """Distance (N,) along each ray to the first crossing into the solid, inf where none.

        With `inside` the rays start in the solid and the crossing out of it is sought.
        """
        near, far = self._slab(origin, direction)
        rays = np.flatnonzero(far > near)
        found = np.full(origin.shape[1], np.inf, np.float32)
        if rays.size:
            o, d = origin[:, rays], direction[:, rays]
            found[rays] = self._walk(o, d, near[rays], far[rays], -1.0 if inside else 1.0)
        return found

    def _slab(self, origin: Array, direction: Array) -> tuple[Array, Array]:
        with np.errstate(divide="ignore", invalid="ignore"):
            low = (np.asarray(self.low, np.float32)[:, None] - origin) / direction
            high = (np.asarray(self.high, np.float32)[:, None] - origin) / direction
        near = np.nanmax(np.minimum(low, high), axis=0)
        return np.maximum(near, 1e-3), np.nanmin(np.maximum(low, high), axis=0)

    def _walk(self, o: Array, d: Array, near: Array, far: Array, sign: float) -> Array:
        found = np.full(o.shape[1], np.inf, np.float32)
        step = (far - near) / self.steps
        active = np.arange(o.shape[1])
        for k in range(1, self.steps + 1):
            t = near[active] + k * step[active]
            below = sign * self.field(o[:, active] + d[:, active] * t) < 0
            if below.any():
                caught = active[below]
                found[caught] = self._bisect(
                    o[:, caught], d[:, caught], t[below], step[caught], sign
                )
                active = active[~below]
            if not active.size:
                break
        return found

    def _bisect(self, o: Array, d: Array, t: Array, step: Array, sign: float) -> Array:
        low, high = t - step, t
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            below = sign * self.field(o + d * middle) < 0
            high = np.where(below, middle, high)
            low = np.where(below, low, middle)
        return np.asarray((low + high) / 2, np.float32)


def lathe(profile: Sequence[tuple[float, float]], *, smooth: float = 0.06) -> Solid:
    """A body of revolution about y from (radius, height) points, bottom to top.

    `smooth` rounds the corners over about that many cm.
    """
    radii, heights = (np.array(column, np.float32) for column in zip(*profile, strict=True))
    low, high = float(heights[0]), float(heights[-1])
    scale = (_TABLE - 1) / (high - low)
    grid = np.linspace(low, high, _TABLE)
    table = np.interp(grid, heights, radii).astype(np.float32)
    width = max(1, round(smooth * scale))
    kernel = np.hanning(2 * width + 3)[1:-1]
    padded = np.pad(table, width, mode="edge")
    table = np.convolve(padded, kernel / kernel.sum(), mode="valid").astype(np.float32)

    def field(p: Array) -> Array:
        at = (p[1] - low) * scale
        index = np.clip(at.astype(np.int32), 0, _TABLE - 2)
        part = at - index
        radius = table[index] * (1 - part) + table[index + 1] * part
        side = np.sqrt(p[0] ** 2 + p[2] ** 2) - radius
        return _soft_max(side, np.abs(p[1] - (low + high) / 2) - (high - low) / 2, smooth)

    r = float(table.max()) + 0.01
    return Solid(field, (-r, low, -r), (r, high, r), steps=48)


def box(size: tuple[float, float, float], *, rounding: float = 0.05) -> Solid:
    """A box standing on y = 0, centred in x and z, its edges rounded with that radius (cm)."""
    half = np.array(size, np.float32)[:, None] / 2

    def field(p: Array) -> Array:
        q = np.abs(p - np.array([[0], [half[1, 0]], [0]], np.float32)) - half + rounding
        outside = np.sqrt((np.maximum(q, 0) ** 2).sum(axis=0))
        return np.asarray(outside + np.minimum(q.max(axis=0), 0) - rounding, np.float32)

    x, y, z = size
    return Solid(field, (-x / 2, 0, -z / 2), (x / 2, y, z / 2))


def ellipsoid(radii: tuple[float, float, float]) -> Solid:
    """An ellipsoid about the origin."""
    r = np.array(radii, np.float32)[:, None]

    def field(p: Array) -> Array:
        return np.asarray(np.sqrt(((p / r) ** 2).sum(axis=0)) - 1, np.float32)

    a, b, c = radii
    return Solid(field, (-a, -b, -c), (a, b, c), steps=24)


def polytope(
    planes: Sequence[tuple[float, float, float, float]], bounds: float, *, rounding: float
) -> Solid:
    """The points p with n.p <= w for every plane (n, w), edges softened; inside |p| < bounds."""
    walls = np.array(planes, np.float32)
    walls /= np.linalg.norm(walls[:, :3], axis=1, keepdims=True)

    def field(p: Array) -> Array:
        value: Array = walls[0, :3] @ p - walls[0, 3]
        for wall in walls[1:]:
            value = _soft_max(value, wall[:3] @ p - wall[3], rounding)
        return value

    return Solid(field, (-bounds, -0.01, -bounds), (bounds, bounds * 2.6, bounds), steps=64)


def pillow(
    size: tuple[float, float], depth: Callable[[Array, Array], Array], thickest: float
) -> Solid:
    """A sheet in the xy plane, standing on y = 0, whose half thickness is `depth(u, v)` in cm.

    u runs -1..1 across, v 0..1 from the bottom up: pouches and bags.
    """
    width, height = size

    def field(p: Array) -> Array:
        u, v = p[0] / (width / 2), p[1] / height
        inside = np.abs(p[2]) - depth(np.clip(u, -1, 1), np.clip(v, 0, 1))
        rim = np.maximum(np.abs(p[0]) - width / 2, np.abs(p[1] - height / 2) - height / 2)
        return np.asarray(np.maximum(inside, rim), np.float32)

    half = width / 2
    return Solid(field, (-half, 0, -thickest), (half, height, thickest), steps=64, grain=0.06)


def loft(
    height: float, across: Callable[[Array], Array], along: Callable[[Array], Array], widest: float
) -> Solid:
    """Elliptic sections stacked along y: half width `across(v)`, half depth `along(v)`, v 0..1."""

    def field(p: Array) -> Array:
        v = np.clip(p[1] / height, 0, 1)
        round_ = np.sqrt((p[0] / across(v)) ** 2 + (p[2] / along(v)) ** 2) - 1
        return _soft_max(round_, np.abs(p[1] / height - 0.5) * 2 - 1, 0.01)

    return Solid(field, (-widest, 0, -widest), (widest, height, widest), steps=72)


def handle(outer: float, inner: float, thickness: float) -> Solid:
    """A D-shaped ring in the xy plane about the origin (a mug's handle)."""
    middle, half = (outer + inner) / 2, (outer - inner) / 2

    def field(p: Array) -> Array:
        ring = np.sqrt(p[0] ** 2 + (p[1] * 0.85) ** 2) - middle
        return np.asarray(np.sqrt((ring / half) ** 2 + (p[2] / thickness) ** 2) - 1, np.float32)

    return Solid(field, (-outer, -outer * 1.2, -thickness), (outer, outer * 1.2, thickness), 48)


def hollow(solid: Solid, cavity: Solid) -> Solid:
    """`solid` with `cavity` taken out of it."""

    def field(p: Array) -> Array:
        return np.maximum(solid.field(p), -cavity.field(p))

    return Solid(field, solid.low, solid.high, steps=220)


def _soft_max(a: Array, b: Array, radius: float) -> Array:
    """Maximum with a round instead of a sharp edge (polynomial smooth maximum)."""
    blend = np.maximum(radius - np.abs(a - b), 0) / radius
    return np.asarray(np.maximum(a, b) + blend**2 * radius / 4, np.float32)
