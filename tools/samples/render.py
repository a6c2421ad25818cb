"""A scene becomes a picture in linear light, and the subject's exact share of each pixel."""

from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from tools.samples.fur import comb
from tools.samples.optics import Camera
from tools.samples.scene import Scene
from tools.samples.shading import (
    Seen,
    daylight,
    irradiance,
    normals,
    shade,
    spread,
    surroundings,
    trace,
)
from tools.samples.solids import Array

#: The subject is shaded on this many samples a pixel side, its edge found on twice as many.
_SHADED = 2
_EDGE = 4
#: Shadows are soft: they are worked out on a picture this many times smaller.
_COARSE = 4
#: Light thrown back by the subject is left out, so the narrow gap under it is made darker.
_CONTACT = 1.6
#: Blur levels for what is out of focus, pixels at a picture width of 1000.
_LEVELS = (0.0, 1.2, 3.0, 6.5, 13.0)


@dataclass(frozen=True, slots=True)
class Rendered:
    """Linear light (H, W, 3) and alpha (H, W), both float32."""

    picture: Array
    alpha: Array


def render(scene: Scene, random: np.random.Generator) -> Rendered:
    """Draw table, backdrop and subject; mixed in linear light, as a lens does it."""
    scene = _floor_lit(scene)
    parts = tuple(
        replace(part, material=part.material.at(scene.camera.density * _SHADED * 1.1))
        for part in scene.parts
    )
    scene = replace(scene, parts=parts)
    behind = _ground(scene, random)
    colour, alpha = _subject(scene, random)
    return Rendered(colour * alpha[..., None] + behind * (1 - alpha[..., None]), alpha)


def _floor_lit(scene: Scene) -> Scene:
    """Let the table's own colour be what lights the subject from below."""
    up = np.zeros((3, 1), np.float32)
    up[1] = 1
    one = np.ones(1, np.float32)
    mean = scene.table.picture.mean(axis=(0, 1)) * irradiance(scene, up, one, one)[0] * 0.6
    floor = (float(mean[0]), float(mean[1]), float(mean[2]))
    return replace(scene, light=replace(scene.light, floor=floor))


def _grid(camera: Camera, per_side: int = 1) -> tuple[Array, Array]:
    x = (np.arange(camera.width * per_side, dtype=np.float32) + 0.5) / per_side
    y = (np.arange(camera.height * per_side, dtype=np.float32) + 0.5) / per_side
    columns, rows = np.meshgrid(x, y)
    return columns.astype(np.float32), rows.astype(np.float32)


def _ground(scene: Scene, random: np.random.Generator) -> Array:
    camera = scene.camera
    columns, rows = _grid(camera)
    shape = columns.shape
    o, d = camera.rays(columns.ravel(), rows.ravel())
    reach = np.where(d[1] < -1e-4, -o[1] / np.minimum(d[1], -1e-4), np.inf).astype(np.float32)
    far = o[2] + np.minimum(reach, 1e4) * d[2]
    table = np.isfinite(reach) & (far > -scene.edge)
    reach = np.where(table, reach, 150).astype(np.float32)
    points = o + d * reach
    key, sky = _coarse_ground_light(scene, random)
    up = np.zeros((3, 1), np.float32)
    up[1] = 1
    deep = sky.ravel() ** _CONTACT
    light = irradiance(scene, np.repeat(up, points.shape[1], axis=1), key.ravel() * deep**0.5, deep)
    picture = scene.table.colour(points[0], points[2]) * light
    if scene.table.gloss > 0:
        picture = picture + _sheen(scene)
    picture = np.where(table[:, None], picture, scene.backdrop.colour(d)).reshape(*shape, 3)
    depth = (reach * (d * camera.axes[2][:, None]).sum(axis=0)).reshape(shape)
    return _defocus(np.asarray(picture, np.float32), depth, camera)


def _coarse_ground_light(scene: Scene, random: np.random.Generator) -> tuple[Array, Array]:
    """Key and sky shares on the table, worked out coarsely and smoothed, at full size."""
    camera = scene.camera.scaled(1 / _COARSE)
    columns, rows = _grid(camera)
    o, d = camera.rays(columns.ravel(), rows.ravel())
    onto = (d[1] < -1e-3) & (o[2] - o[1] / np.minimum(d[1], -1e-3) * d[2] > -scene.edge)
    use = np.flatnonzero(onto)
    points = o[:, use] - d[:, use] * (o[1, use] / d[1, use])
    points[1] = 0
    n = np.zeros_like(points)
    n[1] = 1
    shares = []
    for share in daylight(scene, points, n, random):
        picture = np.ones(columns.size, np.float32)
        picture[use] = share
        smooth = spread(picture.reshape(columns.shape), onto.reshape(columns.shape), 1.3)
        shares.append(_enlarged(smooth, scene.camera))
    return shares[0], shares[1]


def _sheen(scene: Scene) -> Array:
    """What the table mirrors (N, 3), at full size: subject, backdrop and sky."""
    camera = scene.camera.scaled(0.5)
    columns, rows = _grid(camera)
    o, d = camera.rays(columns.ravel(), rows.ravel())
    down = np.minimum(d[1], -1e-3)
    points = o - d * (o[1] / down)
    mirror = d * np.array([[1], [-1], [1]], np.float32)
    rough = np.full(columns.size, 0.12, np.float32)
    around = surroundings(scene, points, mirror, rough) * 0.5 + 0.5 * scene.backdrop.colour(mirror)
    seen = trace(scene.parts, points, mirror)
    ones = np.full(columns.size, 0.8, np.float32)
    subject = shade(scene, seen, mirror, ones, ones)
    picture = np.where((seen.part >= 0)[:, None], subject, around * 0.6)
    fresnel = scene.table.gloss + (1 - scene.table.gloss) * (1 - np.clip(-d[1], 0, 1)) ** 5 * 0.6
    picture = (picture * fresnel[:, None]).reshape(*columns.shape, 3)
    picture = cv2.GaussianBlur(picture, (0, 0), scene.table.rough * camera.width / 1000)
    return _enlarged(picture, scene.camera).reshape(-1, 3)


def _enlarged(picture: Array, camera: Camera) -> Array:
    size = (camera.width, camera.height)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _defocus(picture: Array, depth: Array, camera: Camera) -> Array:
    """Blur each pixel by its distance from the plane of focus, between a few blur levels."""
    circle = np.abs(1 - camera.distance / np.maximum(depth, 1)) * camera.aperture * 1000
    sigma = cv2.GaussianBlur((circle / 2).astype(np.float32), (0, 0), camera.width / 150)
    result = picture.copy()
    for lower, upper in pairwise(_LEVELS):
        blurred = cv2.GaussianBlur(picture, (0, 0), upper * camera.width / 1000)
        mix = np.clip((sigma - lower) / (upper - lower), 0, 1)[..., None]
        result = result * (1 - mix) + blurred * mix
    return np.asarray(result, np.float32)


def _subject(scene: Scene, random: np.random.Generator) -> tuple[Array, Array]:
    """Colours (H, W, 3), carried beyond the edge, and alpha (H, W)."""
    camera = scene.camera
    left, top, right, bottom = _frame(scene)
    columns, rows = _grid(camera, _SHADED)
    window = np.s_[top * _SHADED : bottom * _SHADED, left * _SHADED : right * _SHADED]
    columns, rows = columns[window], rows[window]
    o, d = camera.rays(columns.ravel(), rows.ravel())
    seen = trace(scene.parts, o, d)
    met = np.flatnonzero(seen.part >= 0)
    key, sky = _coarse_subject_light(scene, random)
    at = (
        np.minimum(rows.ravel()[met].astype(int), camera.height - 1),
        np.minimum(columns.ravel()[met].astype(int), camera.width - 1),
    )
    hits = Seen(seen.distance[met], seen.part[met], seen.points[:, met])
    light = np.zeros((columns.size, 3), np.float32)
    light[met] = shade(scene, hits, d[:, met], key[at], sky[at])
    cover = (seen.part >= 0).astype(np.float32)
    share, colour = _reduced(
        cover.reshape(columns.shape),
        light.reshape(*columns.shape, 3),
        (right - left, bottom - top),
    )
    share = _sharp_edge(scene, share, left, top)
    if any(part.fur[0] > 0 for part in scene.parts):
        colour, share = comb(
            scene,
            hits,
            normals(scene.parts, hits),
            light[met],
            colour,
            share,
            (left, top),
            random,
        )
    alpha = np.zeros((camera.height, camera.width), np.float32)
    full = np.zeros((camera.height, camera.width, 3), np.float32)
    alpha[top:bottom, left:right], full[top:bottom, left:right] = share, colour
    return full, alpha


def _reduced(cover: Array, light: Array, size: tuple[int, int]) -> tuple[Array, Array]:
    """Cover and colour at full size from samples; the colour is carried on beyond the edge."""
    share = np.asarray(cv2.resize(cover, size, interpolation=cv2.INTER_AREA), np.float32)
    total = np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), np.float32)
    colour = total / np.maximum(share, np.float32(1e-6))[..., None]
    known = share > 0.01
    for channel in range(3):
        beyond = spread(np.ascontiguousarray(colour[..., channel]), known, 0.8)
        colour[..., channel] = np.where(known, colour[..., channel], beyond)
    return share, colour


def _frame(scene: Scene) -> tuple[int, int, int, int]:
    """The window of the picture that the subject can be in."""
    camera = scene.camera
    boxes = []
    for part in scene.parts:
        grid = np.array(np.meshgrid(*zip(part.solid.low, part.solid.high, strict=True))).reshape(
            3, -1
        )
        boxes.append(camera.project(part.outward(grid.astype(np.float32))))
    pixels = np.concatenate(boxes, axis=1)
    margin = camera.density * max([0.2, *(1.5 * part.fur[1] for part in scene.parts)])
    left, top = np.floor(pixels.min(axis=1) - margin).astype(int)
    right, bottom = np.ceil(pixels.max(axis=1) + margin).astype(int)
    return max(left, 0), max(top, 0), min(right, camera.width), min(bottom, camera.height)


def _coarse_subject_light(scene: Scene, random: np.random.Generator) -> tuple[Array, Array]:
    camera = scene.camera.scaled(1 / _COARSE * 1.3)
    columns, rows = _grid(camera)
    o, d = camera.rays(columns.ravel(), rows.ravel())
    seen = trace(scene.parts, o, d)
    met = np.flatnonzero(seen.part >= 0)
    hits = Seen(seen.distance[met], seen.part[met], seen.points[:, met])
    shares = []
    for share in daylight(scene, hits.points, normals(scene.parts, hits), random):
        picture = np.zeros(columns.size, np.float32)
        picture[met] = share
        known = (seen.part >= 0).reshape(columns.shape)
        smooth = spread(picture.reshape(columns.shape), known, 1.1)
        shares.append(_enlarged(smooth, scene.camera))
    return shares[0], shares[1]


def _sharp_edge(scene: Scene, share: Array, left: int, top: int) -> Array:
    """Count the covered samples anew, more finely, wherever a pixel is not clearly in or out."""
    edge = cv2.morphologyEx(
        (share > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)
    )
    rows, columns = np.nonzero(((share > 0) & (share < 1)) | (np.asarray(edge) > 0))
    if not rows.size:
        return share
    step = (np.arange(_EDGE, dtype=np.float32) + 0.5) / _EDGE
    x = (columns[:, None] + left + np.tile(step, _EDGE)).astype(np.float32)
    y = (rows[:, None] + top + np.repeat(step, _EDGE)).astype(np.float32)
    o, d = scene.camera.rays(x.ravel(), y.ravel())
    seen = trace(scene.parts, o, d).part.reshape(x.shape) >= 0
    exact = share.copy()
    exact[rows, columns] = seen.mean(axis=1)
    return exact
