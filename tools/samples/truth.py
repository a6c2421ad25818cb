"""Where the printed lines are in the picture: the print's corners through solid and lens."""

import re
from typing import Any

import numpy as np

from tools.samples.labels import Set
from tools.samples.materials import Decal, Flat
from tools.samples.scene import Part, Scene
from tools.samples.shading import trace
from tools.samples.solids import Array, Mask

#: Smallest height of a line's ink, in pixels, that a reader can be held to.
_LEGIBLE = 9.0
#: Smallest advance of a full-width character, in pixels: a face seen aslant squeezes its type.
_PITCH = 9.0
#: A line whose ends look away from the lens by more than this cosine cannot be read.
_FACING = 0.3
#: A point that looks away by more than this shows nothing at all.
_GRAZING = 0.03
#: Points along each long edge of a line on a curved body.
_CURVED = 5


def lines(scene: Scene) -> list[dict[str, Any]]:
    """Entries of the truth file for every line of which anything can be seen."""
    found = []
    for part in scene.parts:
        for decal in part.material.decals:
            found += [
                entry for line in decal.art.lines if (entry := _entry(scene, part, decal, line))
            ]
    return found


def _entry(scene: Scene, part: Part, decal: Decal, line: Set) -> dict[str, Any] | None:
    outline = _outline(line, 2 if isinstance(decal.on, Flat) and decal.on.strict > 0.5 else _CURVED)
    middle = np.mean(outline, axis=0, keepdims=True, dtype=np.float32)
    points, facing, seen = _lift(
        scene, part, decal, np.concatenate([outline, middle]).astype(np.float32)
    )
    if not (seen & (facing > _GRAZING)).any():
        return None
    pixels = scene.camera.project(points[:, :-1]).T
    camera = scene.camera
    inside = ((pixels >= 0) & (pixels < [camera.width, camera.height])).all(axis=1)
    if not inside.any():
        return None
    legible = bool(
        inside.all()
        and seen.all()
        and facing.min() > _FACING
        and _height(pixels, line) >= _LEGIBLE
        and _pitch(pixels, line) >= _PITCH
    )
    entry: dict[str, Any] = {
        "text": line.text,
        "polygon": [[round(float(x), 1), round(float(y), 1)] for x, y in pixels],
        "language": _language(line.text),
    }
    if line.vertical:
        entry["vertical"] = True
    if not legible:
        entry["legible"] = False
    return entry


def _outline(line: Set, count: int) -> Array:
    """Points (N, 2) around the line, clockwise: `count` along each long edge."""
    a, b, c, d = (np.array(corner, np.float32) for corner in line.corners)
    t = np.linspace(0, 1, count, dtype=np.float32)[:, None]
    if line.vertical:
        return np.concatenate([a[None], b + (c - b) * t, d + (a - d) * t[:-1]])
    return np.concatenate([a + (b - a) * t, c + (d - c) * t])


def _lift(scene: Scene, part: Part, decal: Decal, uv: Array) -> tuple[Array, Array, Mask]:
    """World points (3, N) of print positions, their cosine toward the lens, and whether seen."""
    origin, direction = decal.on.aim(uv[:, 0], uv[:, 1])
    reach = part.solid.hit(origin, direction)
    local = origin + direction * np.where(np.isfinite(reach), reach, 0)
    points = part.outward(local)
    eye = np.array(scene.camera.position, np.float32)[:, None]
    toward = points - eye
    distance = np.linalg.norm(toward, axis=0)
    toward = toward / distance
    facing = -(toward * (part.turn @ part.solid.normal(local))).sum(axis=0)
    first = trace(scene.parts, np.repeat(eye, points.shape[1], axis=1), toward.astype(np.float32))
    return points, facing, np.isfinite(reach) & (first.distance > distance - 0.1)


def _height(pixels: Array, line: Set) -> float:
    """Height of the ink across the reading direction, in pixels (for a column: its width)."""
    n = len(pixels) // 2
    start = np.linalg.norm(pixels[0] - pixels[1 if line.vertical else -1])
    end = np.linalg.norm(
        pixels[n - 1 if not line.vertical else n] - pixels[n if not line.vertical else n + 1]
    )
    return float(start if line.vertical else min(start, end))


def _pitch(pixels: Array, line: Set) -> float:
    """Advance of a full-width character along the reading direction, in pixels."""
    n = len(pixels) // 2
    last = pixels[n if line.vertical else n - 1]
    length = float(np.linalg.norm(last - pixels[1 if line.vertical else 0]))
    return length / sum(1.0 if ord(letter) > 0x2E80 else 0.55 for letter in line.text)


def _language(text: str) -> str:
    chinese = bool(re.search("[\u4e00-\u9fff]", text))
    latin = bool(re.search("[A-Za-z]{2}", text))
    if chinese:
        return "mixed" if latin else "zh"
    return "en" if latin else "digits"
