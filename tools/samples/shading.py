"""How light leaves a point: diffuse, mirrored, refracted; and how much light gets there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from tools.samples.scene import Part, Scene
from tools.samples.solids import Array, Mask

#: Reflectance at normal incidence of plastic, lacquer, paper coating and glass (index 1.5).
_DIELECTRIC = 0.04
#: Refractive index of a filled bottle; the thin wall hardly bends anything.
_WATER = 1.33
#: Samples toward the key lamp and over the hemisphere, each a product of two strata.
_KEY = (6, 5)
_SKY = (6, 5)
#: Steps of a shadow ray: a shadow needs no exact distance.
_SHADOW_STEPS = 16
#: Radiance of a sample is cut off here; white paper in full light is about 1.
_BRIGHTEST = 1.7
#: Height in cm under which the gap between subject and table gets dark.
_GAP = 0.9
#: How far a hemisphere ray looks for something in its way, as a share of the subject's radius.
_REACH = 1.6


@dataclass(frozen=True, slots=True)
class Seen:
    """What N rays met: distance, index of the part (-1: nothing), world points (3, N)."""

    distance: Array
    part: Array
    points: Array


def trace(parts: Sequence[Part], origin: Array, direction: Array) -> Seen:
    """Find the nearest part on each ray."""
    nearest = np.full(origin.shape[1], np.inf, np.float32)
    index = np.full(origin.shape[1], -1, np.int32)
    for k, part in enumerate(parts):
        distance = part.hit(origin, direction)
        closer = distance < nearest
        nearest[closer], index[closer] = distance[closer], k
    finite = np.where(index >= 0, nearest, 0)
    return Seen(nearest, np.asarray(index), origin + direction * finite)


def normals(parts: Sequence[Part], seen: Seen) -> Array:
    """World normals (3, N) of what was met; zero where nothing was."""
    n = np.zeros_like(seen.points)
    for k, part in enumerate(parts):
        mine = seen.part == k
        if mine.any():
            n[:, mine] = part.turn @ part.solid.normal(part.inward(seen.points[:, mine]))
    return n


def daylight(
    scene: Scene, points: Array, n: Array, random: np.random.Generator
) -> tuple[Array, Array]:
    """Shares (N,) of the key lamp and of the sky that reach points (3, N) with normals (3, N)."""
    centre, radius = bounds(scene.parts)
    parts = [replace(p, solid=replace(p.solid, steps=_SHADOW_STEPS)) for p in scene.parts]
    start = points + n * 0.06
    key, sky = np.zeros(points.shape[1], np.float32), np.zeros(points.shape[1], np.float32)
    lamp = scene.light.lamps[0]
    toward, across, up = lamp.axes
    for a, b in _strata(_KEY, random, points.shape[1]):
        d = (
            toward[:, None]
            + across[:, None] * lamp.half[0] * (2 * a - 1)
            + up[:, None] * lamp.half[1] * (2 * b - 1)
        )
        d /= np.linalg.norm(d, axis=0)
        key += 1 - _blocked(parts, start, d, centre, radius, np.inf)
    first, second = _basis(n)
    for a, b in _strata(_SKY, random, points.shape[1]):
        r, angle = np.sqrt(a), 2 * np.pi * b
        d = first * (r * np.cos(angle)) + second * (r * np.sin(angle)) + n * np.sqrt(1 - a)
        sky += 1 - _blocked(parts, start, d.astype(np.float32), centre, radius, radius * _REACH)
    return key / (_KEY[0] * _KEY[1]), sky / (_SKY[0] * _SKY[1])


def bounds(parts: Sequence[Part]) -> tuple[Array, float]:
    """Centre (3,) and radius of a sphere around all parts."""
    corners = []
    for part in parts:
        low, high = np.array(part.solid.low), np.array(part.solid.high)
        grid = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1)
        corners.append(part.outward(grid.astype(np.float32)))
    every = np.concatenate(corners, axis=1)
    centre = (every.min(axis=1) + every.max(axis=1)) / 2
    return centre, float(np.linalg.norm(every - centre[:, None], axis=0).max())


def shade(scene: Scene, seen: Seen, direction: Array, key: Array, sky: Array) -> Array:
    """Radiance (N, 3) toward the eye of everything that was met."""
    out = np.zeros((seen.part.size, 3), np.float32)
    for k, part in enumerate(scene.parts):
        mine = np.flatnonzero(seen.part == k)
        if mine.size:
            out[mine] = _leave(
                scene, part, seen.points[:, mine], direction[:, mine], key[mine], sky[mine]
            )
    return out


def _leave(scene: Scene, part: Part, p: Array, d: Array, key: Array, sky: Array) -> Array:
    local = part.inward(p)
    smooth = part.solid.normal(local)
    surface = part.material.surface(local, smooth, 0.6 / scene.camera.density)
    n = part.turn @ surface.normal
    above = np.clip(p[1] / _GAP, 0, 1) ** 0.7
    facing = np.clip(0.5 - 1.2 * n[1], 0, 1)
    light = irradiance(scene, n, key, sky * (1 - facing * (1 - above)))
    metal, clear = surface.metal[:, None], surface.clear[:, None]
    colour = surface.albedo * (1 - metal) * light
    if part.material.clear > 0:
        through = np.flatnonzero(surface.clear > 0.01)
        seen = np.zeros_like(colour)
        seen[through] = _refracted(scene, part, p[:, through], d[:, through], n[:, through])
        colour = colour * (1 - clear) + seen * surface.albedo * clear
    cosine = np.clip(-(d * n).sum(axis=0), 0, 1)
    mirror = d + 2 * n * cosine
    base = _DIELECTRIC * (1 - metal) + surface.albedo * metal
    edge = np.maximum(1 - surface.rough[:, None], base)
    fresnel = base + (edge - base) * ((1 - cosine) ** 5)[:, None]
    around = surroundings(scene, p, mirror, surface.rough)
    light = colour + fresnel * around * (0.3 + 0.7 * sky)[:, None]
    # One glint must not outshine the other samples of its pixel.
    return np.asarray(np.minimum(light, _BRIGHTEST), np.float32)


def irradiance(scene: Scene, n: Array, key: Array, sky: Array) -> Array:
    """Irradiance over pi (N, 3) on normals (3, N)."""
    first, *others = scene.light.lamps
    total = (first.diffuse(n) * key)[:, None] * np.array(first.power, np.float32)
    for lamp in others:
        total += (lamp.diffuse(n) * (0.4 + 0.6 * sky))[:, None] * np.array(lamp.power, np.float32)
    return np.asarray(total + scene.light.ambient(n) * sky[:, None], np.float32)


def surroundings(scene: Scene, p: Array, d: Array, rough: Array) -> Array:
    """What is mirrored (N, 3) at points p along d: lamps and sky above, the table below."""
    above = scene.light.environment(d, rough)
    down = np.minimum(d[1], -0.02)
    reach = np.minimum(-p[1] / down, 120)
    ground = scene.table.colour(p[0] + d[0] * reach, p[2] + d[2] * reach)
    up = np.zeros((3, 1), np.float32)
    up[1] = 1
    one = np.ones(1, np.float32)
    # Close to where it stands the table lies in the subject's own shadow.
    gap = reach / (reach + _GAP)
    lit = ground * irradiance(scene, up, one, one) * (0.8 * gap)[:, None]
    mean = np.array(scene.light.floor, np.float32)
    dull = np.clip(rough * 2.2, 0, 1)[:, None]
    below = lit * (1 - dull) + mean * dull * gap[:, None]
    share = np.clip(0.5 - d[1] / (0.04 + rough * 1.2) / 2, 0, 1)[:, None]
    return np.asarray(above * (1 - share) + below * share, np.float32)


def _refracted(scene: Scene, part: Part, p: Array, d: Array, n: Array) -> Array:
    """Light through a filled clear body: in at p, bent, out at the back, bent again."""
    entry = _bend(d, n, 1 / _WATER)
    start = p - n * 0.05
    length = part.hit(start, entry, inside=True)
    length = np.where(np.isfinite(length), length, 1.0).astype(np.float32)
    back = start + entry * length
    local = part.inward(back)
    away = part.turn @ part.solid.normal(local)
    leaving = _bend(entry, -away, _WATER)
    colour = _far(scene, back, leaving)
    ones = np.ones(p.shape[1], np.float32)
    surface = part.material.surface(local, part.solid.normal(local), 0.05)
    printed = (1 - surface.clear / max(part.material.clear, 1e-6))[:, None]
    behind = 0.55 * irradiance(scene, -away, ones, ones) * (0.5 + 0.5 * surface.albedo)
    colour = colour * (1 - printed) + behind * printed
    return np.asarray(colour * np.exp(-length * 0.012)[:, None], np.float32)


def _far(scene: Scene, p: Array, d: Array) -> Array:
    down = np.minimum(d[1], -0.01)
    reach = np.minimum(-p[1] / down, 200)
    x, z = p[0] + d[0] * reach, p[2] + d[2] * reach
    up = np.zeros((3, 1), np.float32)
    up[1] = 1
    one = np.ones(1, np.float32)
    table = scene.table.colour(x, z) * irradiance(scene, up, one, one) * 0.85
    behind = scene.backdrop.colour(d)
    lamps = sum(
        lamp.radiance(d, np.full(d.shape[1], 0.05, np.float32)) for lamp in scene.light.lamps
    )
    on_table = ((d[1] < 0) & (z > -scene.edge))[:, None]
    return np.asarray(np.where(on_table, table, behind + 0.5 * np.asarray(lamps)), np.float32)


def _bend(d: Array, n: Array, ratio: float) -> Array:
    """Refract d at a surface whose normal n points back at it; mirror where it cannot pass."""
    cosine = -(d * n).sum(axis=0)
    square = 1 - ratio**2 * (1 - cosine**2)
    bent = ratio * d + (ratio * cosine - np.sqrt(np.maximum(square, 0))) * n
    return np.asarray(np.where(square > 0, bent, d + 2 * cosine * n), np.float32)


def _blocked(
    parts: Sequence[Part], o: Array, d: Array, centre: Array, radius: float, reach: float
) -> Array:
    """Share of light (N,) stopped on the way along d."""
    stopped = np.zeros(o.shape[1], np.float32)
    offset = centre[:, None] - o
    along = (offset * d).sum(axis=0)
    near = (offset**2).sum(axis=0) - along**2 < radius**2
    rays = np.flatnonzero(near & (along > -radius))
    if not rays.size:
        return stopped
    start, way = o[:, rays], d[:, rays]
    light = np.zeros(rays.size, np.float32)
    for part in parts:
        met = part.hit(start, way) < reach
        light = np.where(met, np.maximum(light, part.shade), light)
    stopped[rays] = light
    return stopped


def _strata(
    counts: tuple[int, int], random: np.random.Generator, n: int
) -> list[tuple[Array, Array]]:
    first, second = counts
    return [
        (
            ((i + random.random(n, np.float32)) / first).astype(np.float32),
            ((j + random.random(n, np.float32)) / second).astype(np.float32),
        )
        for i in range(first)
        for j in range(second)
    ]


def _basis(n: Array) -> tuple[Array, Array]:
    helper = np.where(np.abs(n[1:2]) < 0.9, np.array([[0], [1], [0]]), np.array([[1], [0], [0]]))
    first = np.cross(helper.astype(np.float32), n, axis=0)
    first /= np.linalg.norm(first, axis=0) + 1e-9
    return first, np.cross(n, first, axis=0)


def spread(values: Array, known: Mask, blur: float) -> Array:
    """Smooth a picture (H, W) over its known pixels (H, W bool) and carry it beyond them."""
    weight = known.astype(np.float32)
    total, filled = np.zeros_like(values), np.zeros_like(values)
    # Ever wider, ever weaker: the narrow blur rules where it has anything to say.
    for sigma, share in ((blur, 1.0), (blur * 4, 1e-3), (blur * 16, 1e-6)):
        total += share * cv2.GaussianBlur(values * weight, (0, 0), sigma)
        filled += share * cv2.GaussianBlur(weight, (0, 0), sigma)
    return np.asarray(total / np.maximum(filled, 1e-12), np.float32)
