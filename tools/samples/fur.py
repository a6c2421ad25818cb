"""Fur: strands drawn one by one over the shaded body, so that their alpha is known too."""

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.samples.scene import Scene
from tools.samples.shading import Seen
from tools.samples.solids import Array

Index = NDArray[np.intp]

#: Strands are drawn this many times enlarged and averaged down.
_FINE = 4
#: Bare rim around parts without fur, as a share of their size.
_CLEARING = 0.2
#: Points along a strand.
_POINTS = 5


def comb(
    scene: Scene,
    seen: Seen,
    n: Array,
    light: Array,
    colour: Array,
    alpha: Array,
    corner: tuple[int, int],
    random: np.random.Generator,
) -> tuple[Array, Array]:
    """Grow strands from the visible furry points and return the new colours and alpha.

    Args:
        scene: for the camera and the parts' fur.
        seen: the shaded samples.
        n: their world normals (3, N).
        light: their radiance (N, 3).
        colour: (H, W, 3) of the window at `corner`.
        alpha: (H, W) of the same window.
        corner: left and top of that window in the picture.
        random: the generator.
    """
    roots, lengths = _roots(scene, seen, random)
    strands = _strands(seen.points[:, roots], n[:, roots], lengths, random)
    pixels = scene.camera.project(strands.reshape(3, -1)).reshape(2, _POINTS, -1)
    pixels = (pixels - np.array(corner, np.float32)[:, None, None]) * _FINE
    shade = light[roots] * random.normal(1, 0.13, (roots.size, 1)).clip(0.6, 1.5)
    order = np.argsort(-seen.distance[roots])
    bare = _bare(scene, seen, corner, (alpha.shape[1], alpha.shape[0]))
    return _paint(pixels[:, :, order], shade[order], colour, alpha, bare)


def _bare(scene: Scene, seen: Seen, corner: tuple[int, int], size: tuple[int, int]) -> Array:
    """Where parts without fur are seen, enlarged like the strands: none is drawn over them."""
    naked = np.array([part.fur[0] == 0 for part in scene.parts])[seen.part]
    at = scene.camera.project(seen.points[:, naked]) - np.array(corner, np.float32)[:, None]
    mask = np.zeros((size[1] * 2, size[0] * 2), np.float32)
    columns, rows = (at * 2).astype(int)
    mask[rows.clip(0, mask.shape[0] - 1), columns.clip(0, mask.shape[1] - 1)] = 1
    enlarged = (size[0] * _FINE, size[1] * _FINE)
    return np.asarray(cv2.resize(mask, enlarged, interpolation=cv2.INTER_LINEAR) > 0.5)


def _roots(scene: Scene, seen: Seen, random: np.random.Generator) -> tuple[Index, Array]:
    """Which samples a strand grows from, and how long it is (cm)."""
    thickness = np.array([part.fur[0] for part in scene.parts], np.float32)[seen.part]
    length = np.array([part.fur[1] for part in scene.parts], np.float32)[seen.part]
    # One sample stands for this much area facing the lens; strands are per area.
    area = (0.5 / scene.camera.density) ** 2
    keep = random.random(seen.part.size) < thickness * area
    for part in scene.parts:
        if part.fur[0] == 0:
            # Hair is cut short around eyes, nose and bow, else it would grow over them.
            keep &= part.solid.field(part.inward(seen.points)) > _CLEARING
    roots = np.flatnonzero(keep)
    return roots, (length[roots] * random.uniform(0.55, 1.15, roots.size)).astype(np.float32)


def _strands(p: Array, n: Array, lengths: Array, random: np.random.Generator) -> Array:
    """Curves (3, points, N): out along the normal, astray, and down with their weight."""
    stray = random.normal(0, 0.42, p.shape).astype(np.float32)
    lean = n + stray
    lean /= np.linalg.norm(lean, axis=0)
    curl = random.normal(0, 0.35, p.shape).astype(np.float32)
    s = np.linspace(0, 1, _POINTS, dtype=np.float32)[None, :, None]
    bend = curl + np.array([[0], [-0.55], [0]], np.float32)
    curve = p[:, None] + (lean[:, None] * s + bend[:, None] * s**2 * 0.5) * lengths
    return np.asarray(curve, np.float32)


def _paint(
    pixels: Array, shade: Array, colour: Array, alpha: Array, bare: Array
) -> tuple[Array, Array]:
    h, w = alpha.shape
    size = (w * _FINE, h * _FINE)
    canvas = cv2.resize(colour, size, interpolation=cv2.INTER_LINEAR)
    cover = cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR)
    canvas *= (cover > 0.5)[..., None]
    cover = (cover > 0.5).astype(np.float32)
    tips = np.linspace(0.72, 1.22, _POINTS - 1)
    before = canvas[bare]
    for k in range(pixels.shape[2]):
        points = np.round(pixels[:, :, k].T).astype(np.int32)
        for j, gain in enumerate(tips):
            start, end = (
                (int(points[j, 0]), int(points[j, 1])),
                (int(points[j + 1, 0]), int(points[j + 1, 1])),
            )
            cv2.line(canvas, start, end, (shade[k] * gain).tolist(), 2 if j < 1 else 1)
            cv2.line(cover, start, end, 1.0, 2 if j < 1 else 1)
    canvas[bare] = before
    light = cv2.resize(canvas, (w, h), interpolation=cv2.INTER_AREA)
    share = np.asarray(cv2.resize(cover, (w, h), interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(light / np.maximum(share, 1e-4)[..., None], np.float32), share
