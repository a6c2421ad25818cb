"""Procedural surfaces: tables, backdrops and bump maps, all from one seeded generator.

Pictures are float32 HxWx3 in linear light, 0..1.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from tools.samples.solids import Array

Random = np.random.Generator


def noise(
    random: Random, shape: tuple[int, int], cells: tuple[float, float], octaves: int = 4
) -> Array:
    """Fractal value noise, about normal with unit deviation; `cells` across (x, y) at octave 0."""
    height, width = shape
    total = np.zeros(shape, np.float32)
    weight, power = 1.0, 0.0
    for octave in range(octaves):
        columns, rows = (max(2, round(c * 2**octave)) for c in cells)
        if columns > width * 2 or rows > height * 2:
            break
        grid = random.standard_normal((rows + 3, columns + 3)).astype(np.float32)
        total += weight * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        power += weight**2
        weight *= 0.55
    return np.asarray(total / np.sqrt(power), np.float32)


def linear(hexadecimal: str) -> Array:
    """`#rrggbb` as linear light (3,)."""
    value = np.array([int(hexadecimal[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255
    return to_linear(value)


def to_linear(srgb: Array) -> Array:
    """SRGB 0..1 to linear light (IEC 61966-2-1)."""
    return np.asarray(
        np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4), np.float32
    )


def to_srgb(light: Array) -> Array:
    """Linear light to sRGB 0..1 (IEC 61966-2-1), clipped."""
    light = np.clip(light, 0, 1)
    return np.asarray(
        np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055), np.float32
    )


@dataclass(frozen=True, slots=True)
class Tabletop:
    """What a table looks like: a picture over a square of ground, and how it reflects."""

    picture: Array
    #: Side of the square in cm, centred on x = 0, z = `centre`.
    side: float
    centre: float
    #: Reflectance at normal incidence; 0 is dull.
    gloss: float
    #: Blur of the reflection, pixels per cm above the table at 1000 px.
    rough: float

    def colour(self, x: Array, z: Array) -> Array:
        """Albedo (N, 3) at ground points, mirrored beyond the square."""
        n = self.picture.shape[0]
        u = (x / self.side + 0.5) * n
        v = ((z - self.centre) / self.side + 0.5) * n
        columns = u.astype(np.float32).reshape(-1, 1024) if u.size % 1024 == 0 else u.reshape(-1, 1)
        rows = v.astype(np.float32).reshape(columns.shape)
        out = _remap(self.picture, columns, rows)
        return out.reshape(-1, 3)


def _remap(picture: Array, columns: Array, rows: Array) -> Array:
    # remap refuses maps with a side beyond 32767, so long lists go through in strips.
    strips = [
        cv2.remap(
            picture,
            columns[i : i + 32000],
            rows[i : i + 32000],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        for i in range(0, len(columns), 32000)
    ]
    return np.concatenate(strips)


def wood(
    random: Random, n: int, *, dark: str, light: str, planks: int = 5, gloss: float = 0.02
) -> Tabletop:
    """Boards with grain along x."""
    rows = np.linspace(0, planks, n, endpoint=False, dtype=np.float32)[:, None]
    index = rows.astype(int)[:, 0]
    wave = noise(random, (n, n), (3, 10), 3) * 0.05
    shift = random.uniform(0, 50, planks).astype(np.float32)[index][:, None]
    rings = np.sin((rows * 5.5 + wave * 9 + shift + noise(random, (n, n), (2, 22), 2) * 0.35) * 3.1)
    fibre = noise(random, (n, n), (5, n / 14), 3)
    pores = np.clip(noise(random, (n, n), (34, n / 5), 2) - 1.35, 0, None)
    mix = np.clip(0.52 + 0.15 * rings + 0.17 * fibre + noise(random, (n, n), (3, 5), 2) * 0.1, 0, 1)
    tint = random.uniform(0.82, 1.12, planks).astype(np.float32)[index][:, None]
    seam = 1 - 0.75 * np.exp(
        -((((rows % 1) - 0.5 + 0.5 * np.sign(0.5 - rows % 1)) * n / planks / 2.4) ** 2)
    )
    shade = (tint * seam * (1 - 0.42 * np.minimum(pores, 1)))[..., None]
    picture = (linear(dark) * (1 - mix[..., None]) + linear(light) * mix[..., None]) * shade
    return Tabletop(np.asarray(picture, np.float32), 60, -6, gloss, 9)


def marble(random: Random, n: int, *, base: str = "#eceae6", vein: str = "#8d8f94") -> Tabletop:
    """Pale stone with warped veins, polished."""
    y, x = np.mgrid[0 : 1 : n * 1j, 0 : 1 : n * 1j].astype(np.float32)
    warp = noise(random, (n, n), (3, 3), 6)
    fade = np.clip(0.45 + 0.6 * noise(random, (n, n), (5, 5), 3), 0, 1)
    coarse = np.abs(np.sin(np.pi * (x * 2.1 + y * 1.3 + warp * 0.34)))
    fine = np.abs(np.sin(np.pi * (x * 3.3 - y * 2.2 + warp * 0.55 + 0.3)))
    strength = fade * (
        0.5 * np.exp(-coarse * 26) + 0.16 * np.exp(-coarse * 5) + 0.2 * np.exp(-fine * 45)
    )
    cloud = np.clip(0.08 + 0.07 * noise(random, (n, n), (4, 4), 4), 0, 0.3)
    mix = np.clip(strength + cloud, 0, 1)[..., None]
    return Tabletop(
        np.asarray(linear(base) * (1 - mix) + linear(vein) * mix, np.float32), 60, -6, 0.045, 3
    )


def stone(
    random: Random, n: int, *, base: str, speckle: float = 0.22, gloss: float = 0.03
) -> Tabletop:
    """Speckled slate, concrete or terrazzo-like stone."""
    grain = random.standard_normal((n, n)).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), 0.9) * 1.6
    patch = noise(random, (n, n), (5, 5), 5)
    shade = np.clip(1 + speckle * (0.6 * grain + 0.7 * patch), 0.25, 2)
    pits = 1 - 0.5 * (noise(random, (n, n), (60, 60), 2) > 2.6)
    return Tabletop(
        np.asarray(linear(base) * (shade * pits)[..., None], np.float32), 60, -6, gloss, 6
    )


def fabric(random: Random, n: int, *, base: str, stripe: str | None = None) -> Tabletop:
    """Linen: two sets of uneven threads."""
    threads = 440
    phase = np.arange(n, dtype=np.float32) * (threads / n)
    wobble = noise(random, (n, n), (8, 8), 4) * 0.25
    warp = np.sin((phase[None, :] + wobble) * 2 * np.pi)
    weft = np.sin((phase[:, None] + wobble.T) * 2 * np.pi)
    slub = noise(random, (n, n), (34, threads / 1.5), 2) + noise(
        random, (n, n), (threads / 1.5, 34), 2
    )
    shade = (
        1 + 0.15 * np.maximum(warp, weft) + 0.05 * slub + 0.05 * noise(random, (n, n), (5, 5), 3)
    )
    picture = linear(base) * shade[..., None]
    if stripe is not None:
        band = (np.abs((np.arange(n) / n * 60) % 15 - 7.5) < 0.5)[None, :, None]
        picture = np.where(band, linear(stripe) * shade[..., None], picture)
    return Tabletop(np.asarray(np.clip(picture, 0, 1), np.float32), 60, -6, 0.0, 9)


def tiles(random: Random, n: int, *, base: str, grout: str, pitch: float = 10.0) -> Tabletop:
    """Glazed ceramic tiles of `pitch` cm."""
    cm = (np.arange(n, dtype=np.float32) / n - 0.5) * 60
    column, row = (cm + 4.1) / pitch, (cm + 1.7) / pitch
    gap = (
        np.minimum(*np.meshgrid(0.5 - np.abs(column % 1 - 0.5), 0.5 - np.abs(row % 1 - 0.5)))
        * pitch
    )
    joint = np.clip((0.22 - gap) / 0.06, 0, 1)[..., None]
    tone = random.uniform(0.88, 1.06, (40, 40)).astype(np.float32)
    shade = tone[np.ix_(row.astype(int) % 40, column.astype(int) % 40)]
    shade = (
        shade
        * (1 + 0.03 * noise(random, (n, n), (30, 30), 4))
        * (1 - 0.15 * np.exp(-((gap - 0.3) ** 2) * 40))
    )
    picture = linear(base) * shade[..., None] * (1 - joint) + linear(grout) * joint
    return Tabletop(np.asarray(picture, np.float32), 60, -6, 0.05, 4)


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What lies behind the table: a panorama over azimuth and elevation, already out of focus."""

    picture: Array
    #: Half of the azimuth the picture covers, radians; it is mirrored beyond.
    span: float = 0.6
    #: Elevation at the picture's lower edge and its extent upwards, radians.
    floor: float = -0.28
    rise: float = 0.66

    def colour(self, d: Array) -> Array:
        """Radiance (N, 3) seen along directions (3, N)."""
        h, w = self.picture.shape[:2]
        azimuth = np.arctan2(d[0], -d[2])
        elevation = np.arcsin(np.clip(d[1], -1, 1))
        u = ((azimuth / self.span + 1) / 2 * w).astype(np.float32)
        v = ((1 - (elevation - self.floor) / self.rise) * h).astype(np.float32)
        return _remap(self.picture, u.reshape(-1, 1), v.reshape(-1, 1)).reshape(-1, 3)


def room(
    random: Random,
    *,
    wall: str,
    things: list[str],
    count: int = 26,
    foliage: int = 0,
    lights: int = 0,
    blur: float = 7.0,
) -> Backdrop:
    """A wall with things standing before it, leaves and lights, blurred as by an open lens.

    Args:
        random: the generator.
        wall: its colour.
        things: colours that furniture, jars and books are picked from.
        count: how many of them.
        foliage: how many leaf-sized blobs, in shades of the things' colours.
        lights: how many lamps, which blur to discs.
        blur: standard deviation in pixels of a picture 900 wide.
    """
    h, w = 500, 900
    light = np.linspace(1.2, 0.7, w, dtype=np.float32)[None, :, None]
    picture = np.ones((h, w, 3), np.float32) * linear(wall) * light
    for k in range(count):
        colour = linear(things[int(random.integers(len(things)))]) * random.uniform(0.6, 1.25)
        x, width = (
            int(random.uniform(-40, w)),
            int(random.uniform(14, 110 if k < count // 3 else 44)),
        )
        base = h if k < count * 0.7 else int(h * 0.34)
        top = base - int(random.uniform(0.12, 0.62 if base == h else 0.2) * h)
        cv2.rectangle(picture, (x, top), (x + width, base), colour.tolist(), -1)
        shine = (colour * 1.5).tolist()
        cv2.rectangle(picture, (x + width // 6, top), (x + width // 3, base), shine, -1)
    for _ in range(foliage):
        colour = linear(things[int(random.integers(len(things)))]) * random.uniform(0.35, 1.5)
        centre = (int(random.uniform(0, w)), int(random.uniform(0, h)))
        axes = (int(random.uniform(8, 36)), int(random.uniform(4, 14)))
        cv2.ellipse(picture, centre, axes, random.uniform(0, 180), 0, 360, colour.tolist(), -1)
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), blur), np.float32)
    for _ in range(lights):
        centre = (int(random.uniform(0, w)), int(random.uniform(0, h * 0.75)))
        disc = np.zeros_like(picture)
        tint = np.array([1.0, random.uniform(0.75, 0.97), random.uniform(0.45, 0.85)])
        level = (tint * random.uniform(0.12, 0.5)).tolist()
        cv2.circle(disc, centre, int(random.uniform(7, 17)), level, -1, cv2.LINE_AA)
        picture += cv2.GaussianBlur(disc, (0, 0), 1.4)
    return Backdrop(np.asarray(cv2.GaussianBlur(picture, (0, 0), 2), np.float32))


Bump = Callable[[Array], Array]


def bumps(random: Random, size: float, depth: float) -> Bump:
    """A height field in space (3, N) -> (N,), features of about `size` cm, `depth` cm high.

    A sum of plane waves in random directions: cheap, smooth, and free of seams.
    """
    waves = random.standard_normal((3, 18)).astype(np.float32)
    waves *= (2 * np.pi / size / np.linalg.norm(waves, axis=0)) * random.uniform(0.6, 1.6, 18)
    phase = random.uniform(0, 2 * np.pi, 18).astype(np.float32)[:, None]

    def height(p: Array) -> Array:
        return np.asarray(np.sin(waves.T @ p + phase).sum(axis=0) * (depth / 4), np.float32)

    return height
