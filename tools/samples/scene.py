"""What stands before the lens: camera, lights, materials with printed labels, placed parts.

Centimetres, y up, the table is y = 0, the camera looks roughly along -z. Vectors are float32
(3, N), colours float32 (N, 3) in linear light.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import cv2
import numpy as np

from tools.samples.labels import Print
from tools.samples.solids import Array, Solid
from tools.samples.textures import Backdrop, Bump, Tabletop, linear


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole with a focus: `zoom` is the focal length in picture widths."""

    width: int
    height: int
    position: tuple[float, float, float]
    target: tuple[float, float, float]
    zoom: float = 1.6
    roll: float = 0.0
    #: Blur disc in pixels per picture width for something infinitely far behind the target.
    aperture: float = 0.014

    @property
    def axes(self) -> Array:
        """Rows: right, up, forward."""
        forward = np.subtract(self.target, self.position)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, [0, 1, 0])
        right /= np.linalg.norm(right)
        up = np.cross(right, forward)
        c, s = np.cos(np.radians(self.roll)), np.sin(np.radians(self.roll))
        return np.array([c * right + s * up, c * up - s * right, forward], np.float32)

    @property
    def distance(self) -> float:
        """From the lens to the target, cm."""
        return float(np.linalg.norm(np.subtract(self.target, self.position)))

    @property
    def density(self) -> float:
        """Pixels per cm at the target."""
        return self.zoom * self.width / self.distance

    def rays(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Origins (3, N) and unit directions (3, N) through pixel positions (N,)."""
        scale = 1 / (self.zoom * self.width)
        plane = np.stack([(x - self.width / 2) * scale, (self.height / 2 - y) * scale, np.ones_like(x)])
        direction = self.axes.T @ plane.astype(np.float32)
        direction /= np.linalg.norm(direction, axis=0)
        origin = np.repeat(np.array(self.position, np.float32)[:, None], x.size, axis=1)
        return origin, direction

    def project(self, points: Array) -> Array:
        """Pixel positions (2, N) of world points (3, N)."""
        local = self.axes @ (points - np.array(self.position, np.float32)[:, None])
        scale = self.zoom * self.width / local[2]
        return np.stack([self.width / 2 + local[0] * scale, self.height / 2 - local[1] * scale])

    def scaled(self, factor: float) -> "Camera":
        """The same view on another number of pixels."""
        return replace(self, width=round(self.width * factor), height=round(self.height * factor))


@dataclass(frozen=True, slots=True)
class Lamp:
    """A far rectangular light. `power` is the irradiance it gives, over pi; half sides as tangents."""

    toward: tuple[float, float, float]
    power: tuple[float, float, float]
    half: tuple[float, float] = (0.35, 0.45)
    #: Window bars: panes across and up.
    panes: tuple[int, int] = (1, 1)

    @property
    def axes(self) -> Array:
        """Rows: direction to the light, its horizontal, its vertical."""
        d = np.array(self.toward, np.float32)
        d /= np.linalg.norm(d)
        across = np.cross([0.0, 1.0, 0.0], d)
        across /= np.linalg.norm(across)
        return np.array([d, across, np.cross(d, across)], np.float32)

    def radiance(self, d: Array, rough: Array) -> Array:
        """Light (N, 3) arriving from directions d (3, N), smeared by a surface's roughness (N,)."""
        axis, across, up = self.axes @ d
        ahead = np.maximum(axis, 1e-3)
        soft = 0.02 + rough
        hu, hv = self.half
        mask = (axis > 0) * _window(across / ahead, hu, soft) * _window(up / ahead, hv, soft)
        for positions, half, count in ((across / ahead, hu, self.panes[0]), (up / ahead, hv, self.panes[1])):
            for k in range(1, count):
                bar = np.abs(positions - half * (2 * k / count - 1)) / (0.018 + rough * 0.5)
                mask = mask * (1 - np.exp(-(bar**2)) * 0.04 / (0.04 + rough))
        spread = hu * hv / ((hu + soft / 2) * (hv + soft / 2))
        level = np.array(self.power, np.float32) * np.pi / (4 * hu * hv)
        return np.asarray((mask * spread)[:, None] * level, np.float32)

    def diffuse(self, n: Array) -> Array:
        """Cosine (N,) with normals n (3, N), softened at the terminator by the light's size."""
        wrap = 0.35 * min(1.0, sum(self.half) / 2)
        cosine = self.axes[0] @ n
        return np.asarray(np.maximum(cosine + wrap, 0) / (1 + wrap), np.float32)


def _window(x: Array, half: float, soft: Array) -> Array:
    t = np.clip((half - np.abs(x)) / soft + 0.5, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


@dataclass(frozen=True, slots=True)
class Light:
    """All the light: lamps (the first casts the shadow) and a sky in three tones."""

    lamps: tuple[Lamp, ...]
    sky: tuple[float, float, float] = (0.42, 0.43, 0.45)
    horizon: tuple[float, float, float] = (0.30, 0.29, 0.28)
    floor: tuple[float, float, float] = (0.25, 0.24, 0.22)

    def ambient(self, n: Array) -> Array:
        """Irradiance over pi (N, 3) from everything but the lamps, on normals n (3, N)."""
        up = np.clip(n[1], -1, 1)[:, None]
        above = np.array(self.horizon) + (np.array(self.sky) - self.horizon) * np.clip(up, 0, 1)
        below = np.clip(0.5 - up / 2, 0, 1)
        return np.asarray(above * (1 - below) + np.array(self.floor) * below, np.float32)

    def environment(self, d: Array, rough: Array) -> Array:
        """What a mirror of that roughness (N,) sees in directions d (3, N), table left out."""
        up = np.clip(d[1], 0, 1)[:, None] ** 0.7
        seen = np.array(self.horizon) + (np.array(self.sky) - self.horizon) * up
        for lamp in self.lamps:
            seen = seen + lamp.radiance(d, rough)
        return np.asarray(seen, np.float32)


class Projection(Protocol):
    """How a print lies on a solid."""

    size: tuple[float, float]

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
    strict: float = 0.7

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
        near = np.flatnonzero((u > -0.02) & (u < 1.02) & (v > -0.02) & (v < 1.02))
        for start in range(0, near.size, 32000):
            part = near[start : start + 32000]
            found = cv2.remap(
                self.art.picture,
                columns[part].astype(np.float32).reshape(-1, 1),
                rows[part].astype(np.float32).reshape(-1, 1),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
            )
            seen[part] = found.reshape(-1, 4)
        return seen[:, :3], seen[:, 3]

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
    """A body colour with prints, bumps and gloss. `clear` bodies are seen through (water, glass)."""

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
        rough, metal, clear = (np.full(count, v, np.float32) for v in (self.rough, self.metal, self.clear))
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


@dataclass(frozen=True, slots=True)
class Part:
    """One solid of one material, turned by `turn` and then moved by `move`."""

    solid: Solid
    material: Material
    move: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn: Array = field(default_factory=lambda: np.eye(3, dtype=np.float32))
    #: How much of the light it stops when it casts a shadow.
    shade: float = 1.0
    #: Fur: strands per cm2 and their length in cm; 0 is none.
    fur: tuple[float, float] = (0.0, 0.0)

    def inward(self, p: Array) -> Array:
        """World points to local ones."""
        return self.turn.T @ (p - np.array(self.move, np.float32)[:, None])

    def outward(self, p: Array) -> Array:
        """Local points to world ones."""
        return self.turn @ p + np.array(self.move, np.float32)[:, None]

    def hit(self, origin: Array, direction: Array, *, inside: bool = False) -> Array:
        """As `Solid.hit`, in the world."""
        return self.solid.hit(self.inward(origin), self.turn.T @ direction, inside=inside)

    def placed(self, move: tuple[float, float, float], turn: Array) -> "Part":
        """The part of an assembly after the whole is turned and then moved."""
        at = turn @ np.array(self.move, np.float32) + np.array(move, np.float32)
        return replace(self, turn=turn @ self.turn, move=(float(at[0]), float(at[1]), float(at[2])))


def turned(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Array:
    """A rotation by degrees about z, then x, then y."""
    cx, cy, cz = np.cos(np.radians([x, y, z]))
    sx, sy, sz = np.sin(np.radians([x, y, z]))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z, np.float32)


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a shot needs to be rendered."""

    camera: Camera
    light: Light
    table: Tabletop
    backdrop: Backdrop
    parts: tuple[Part, ...]
    #: Where the table ends behind the subject, cm from the origin.
    edge: float = 45.0
