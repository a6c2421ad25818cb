"""What a surface is made of, and how a print lies on it.

Points and normals are local to the part, float32 (3, N); colours float32 (N, 3) in linear light.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np

from tools.samples.labels import Print
from tools.samples.solids import Array
from tools.samples.textures import Bump, linear


class Projection(Protocol):
    """How a print lies on a solid."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height on the solid, cm."""

    def uv(self, p: Array, n: Array) -> tuple[Array, Array]:
        """Print coordinates (N,) each of local points and normals; beyond 0..1 is off the print."""

    def aim(self, u: Array, v: Array) -> tuple[Array, Array]:
        """Rays from outside, origins and directions (3, N), that meet the solid at (u, v)."""


@dataclass(frozen=True, slots=True)
class Wrap:
    """Around the y axis: `size` is (arc length, height), `radius` the body's, angles in degrees."""

    size: tuple[float, float]
    radius: float
    bottom: float
    facing: float = 0.0

    def uv(self, p: Array, n: Array) -> tuple[Array, Array]:
        """See `Projection`."""
        angle = np.arctan2(p[0], p[2]) - np.radians(self.facing)
        angle = (angle + np.pi) % (2 * np.pi) - np.pi
        off = np.where(np.abs(n[1]) > 0.9, np.float32(9), np.float32(0))
        u = angle * self.radius / self.size[0] + 0.5 + off
        return u, 1 - (p[1] - self.bottom) / self.size[1]

    def aim(self, u: Array, v: Array) -> tuple[Array, Array]:
        """See `Projection`."""
        angle = (u - 0.5) * self.size[0] / self.radius + np.radians(self.facing)
        out = np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)]).astype(np.float32)
        height = self.bottom + (1 - v) * self.size[1]
        origin = out * self.radius * 3
        origin[1] = height
        return origin, -out


@dataclass(frozen=True, slots=True)
class Flat:
    """On the face that looks along `facing` (turn about y in degrees, or `top`)."""

    size: tuple[float, float]
    centre: tuple[float, float, float]
    facing: float = 0.0
    top: bool = False
    #: How squarely a surface has to look along the axis to carry the print (cosine).
    strict: float = 0.6

    @property
    def axes(self) -> Array:
        """Rows: right, up and out of the print."""
        if self.top:
            return np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)
        c, s = np.cos(np.radians(self.facing)), np.sin(np.radians(self.facing))
        return np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]], np.float32)

    def uv(self, p: Array, n: Array) -> tuple[Array, Array]:
        """See `Projection`."""
        local = self.axes @ (p - np.array(self.centre, np.float32)[:, None])
        off = np.where(self.axes[2] @ n < self.strict, np.float32(9), np.float32(0))
        return local[0] / self.size[0] + 0.5 + off, 0.5 - local[1] / self.size[1]

    def aim(self, u: Array, v: Array) -> tuple[Array, Array]:
        """See `Projection`."""
        local = np.stack([(u - 0.5) * self.size[0], (0.5 - v) * self.size[1], np.full_like(u, 50)])
        origin = self.axes.T @ local.astype(np.float32) + np.array(self.centre, np.float32)[:, None]
        return origin, np.repeat(-self.axes[2][:, None], u.size, axis=1)


@dataclass(frozen=True, slots=True)
class Decal:
    """A print on a solid; `rough` and `metal` are those of the ink and its carrier."""

    art: Print
    on: Projection
    rough: float = 0.25
    metal: float = 0.0

    def sample(self, p: Array, n: Array) -> tuple[Array, Array]:
        """Colour (N, 3) and cover (N,) at local points."""
        u, v = self.on.uv(p, n)
        h, w = self.art.picture.shape[:2]
        columns, rows = u * w - 0.5, v * h - 0.5
        seen = np.zeros((u.size, 4), np.float32)
        near = np.flatnonzero((np.abs(u - 0.5) < 0.503) & (np.abs(v - 0.5) < 0.503))
        for start in range(0, near.size, 32000):
            part = near[start : start + 32000]
            found = cv2.remap(
                self.art.picture,
                columns[part].astype(np.float32).reshape(-1, 1),
                rows[part].astype(np.float32).reshape(-1, 1),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            seen[part] = found.reshape(-1, 4)
        # A cut edge fades over one texel, else it would be a staircase.
        inside = np.minimum((0.5 - np.abs(u - 0.5)) * w, (0.5 - np.abs(v - 0.5)) * h)
        return seen[:, :3], np.asarray(seen[:, 3] * np.clip(inside + 0.5, 0, 1), np.float32)

    def at(self, density: float) -> "Decal":
        """The same with its picture reduced to about that many pixels per cm."""
        return replace(self, art=self.art.resized(density * self.on.size[0]))


@dataclass(frozen=True, slots=True)
class Surface:
    """What light meets at N points; colours (N, 3), the rest (N,), normals (3, N)."""

    albedo: Array
    rough: Array
    metal: Array
    clear: Array
    normal: Array


@dataclass(frozen=True, slots=True)
class Material:
    """A body colour with prints, bumps and gloss; `clear` bodies are seen through (water)."""

    colour: str
    rough: float = 0.3
    metal: float = 0.0
    clear: float = 0.0
    decals: tuple[Decal, ...] = ()
    bump: Bump | None = None
    #: Colour factor (N, 1) or (N, 3) by local position, where one colour is not enough.
    tint: Callable[[Array], Array] | None = None

    def surface(self, p: Array, n: Array, grain: float) -> Surface:
        """The surface at local points and normals (3, N); `grain` is a pixel's size in cm."""
        count = p.shape[1]
        albedo = np.repeat(linear(self.colour)[None], count, axis=0)
        if self.tint is not None:
            albedo = np.clip(albedo * self.tint(p), 0, 1)
        rough, metal, clear = (
            np.full(count, v, np.float32) for v in (self.rough, self.metal, self.clear)
        )
        for decal in self.decals:
            colour, cover = decal.sample(p, n)
            albedo = albedo * (1 - cover[:, None]) + colour * cover[:, None]
            rough += (decal.rough - rough) * cover
            metal += (decal.metal - metal) * cover
            clear *= 1 - cover
        if self.bump is not None:
            n = _bumped(self.bump, p, n, grain)
        return Surface(albedo.astype(np.float32), rough, metal, clear, n)

    def at(self, density: float) -> "Material":
        """The same with prints reduced for that many pixels per cm."""
        return replace(self, decals=tuple(decal.at(density) for decal in self.decals))


def _bumped(bump: Bump, p: Array, n: Array, grain: float) -> Array:
    here = bump(p)
    slope = np.empty_like(n)
    for axis in range(3):
        shift = np.zeros((3, 1), np.float32)
        shift[axis] = grain
        slope[axis] = (bump(p + shift) - here) / grain
    slope -= n * (slope * n).sum(axis=0)
    bent = n - slope
    return np.asarray(bent / np.linalg.norm(bent, axis=0), np.float32)
