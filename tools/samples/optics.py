"""The lens and the light.

Centimetres, y up, the table is y = 0, the camera looks roughly along -z. Vectors are float32
(3, N), colours float32 (N, 3) in linear light.
"""

from dataclasses import dataclass, replace

import numpy as np

from tools.samples.solids import Array


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
        plane = np.stack(
            [(x - self.width / 2) * scale, (self.height / 2 - y) * scale, np.ones_like(x)]
        )
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
    """A far rectangular light. `power` is its irradiance over pi, `half` its sides as tangents."""

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
        for positions, half, count in (
            (across / ahead, hu, self.panes[0]),
            (up / ahead, hv, self.panes[1]),
        ):
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
