"""A box, a pouch, a carton, a toy, a fruit: each function returns the parts of one.

They stand on y = 0, their front toward +z.
"""

import cv2
import numpy as np

from tools.samples import designs, solids
from tools.samples.materials import Decal, Flat, Material
from tools.samples.scene import Part, turned
from tools.samples.shapes import Product, bands, knurled, outline
from tools.samples.solids import Array
from tools.samples.textures import bumps


def electronics_box() -> Product:
    """A printed cardboard box, 15 x 10 x 5 cm."""
    faces = (
        Decal(designs.box_front(), Flat((15, 10), (0, 5, 2.5)), rough=0.28),
        Decal(designs.box_side(), Flat((5, 10), (7.5, 5, 0), facing=90), rough=0.28),
        Decal(designs.box_top(), Flat((15, 5), (0, 10, 0), top=True), rough=0.28),
    )
    return (
        Part(solids.box((15, 10, 5), rounding=0.06), Material("#e8eaee", rough=0.3, decals=faces)),
    )


def flour_pouch() -> Product:
    """A kraft paper pouch, sealed at the top, bulging below."""
    random = np.random.default_rng(41)
    crease, dent = bumps(random, 2.4, 0.5), bumps(random, 7.0, 0.8)
    columns, rows = np.meshgrid(np.linspace(-1, 1, 541), np.linspace(0, 1, 821))
    u, v = columns.ravel().astype(np.float32), rows.ravel().astype(np.float32)
    belly = np.clip(1 - np.abs(u) ** 2.6, 0, 1) ** 0.62
    rise = np.clip(1 - (np.clip(v - 0.12, 0, 1) / 0.81) ** 2.0, 0, 1) ** 0.75
    foot = np.clip(v / 0.05, 0, 1) ** 0.5 * 0.2 + 0.8
    p = np.stack([u * 6.7, v * 20.5, np.zeros_like(u)])
    table = (0.14 + 3.4 * belly * rise * foot * (1 + 0.06 * dent(p) + 0.035 * crease(p))).reshape(
        columns.shape
    )
    table = cv2.GaussianBlur(table.astype(np.float32), (0, 0), 3)

    def depth(u: Array, v: Array) -> Array:
        place = np.round((u + 1) * 270).astype(np.int32), np.round(v * 820).astype(np.int32)
        return np.asarray(table[place[1], place[0]], np.float32)

    fold = bumps(random, 1.3, 0.02)
    fine = bumps(random, 0.16, 0.0016)

    def paper(p: Array) -> Array:
        stretched = p * np.array([[1], [0.45], [1]], np.float32)
        upper = np.clip((p[1] - 12) / 6, 0, 1)
        seal = np.clip((p[1] - 18.9) / 0.08, 0, 1)
        ridges = 0.016 * np.cos(p[1] * 30) * seal
        return np.asarray(
            fold(stretched) * (0.6 + upper) * (1 - 0.8 * seal) + fine(p) + ridges, np.float32
        )

    solid = solids.pillow((13.5, 20.5), depth, 4.2)
    art = Decal(designs.flour(), Flat((12, 17.5), (0, 9.2, 0), strict=0.25), rough=0.55)
    bag = Material("#b88a56", rough=0.62, decals=(art,), bump=paper)
    return (Part(solid, bag),)


def juice_carton() -> Product:
    """A gable-top carton, one litre, with a screw cap on the slope."""
    body = solids.box((7, 16.5, 7), rounding=0.08)
    slope = 0.98
    gable = solids.polytope(
        [
            (1, 0, 0, 3.5),
            (-1, 0, 0, 3.5),
            (0, slope, 1, 3.5),
            (0, slope, -1, 3.5),
            (0, -1, 0, 0),
            (0, 1, 0, 3.2),
        ],
        3.52,
        rounding=0.1,
    )
    fin = solids.box((7, 1.5, 0.26), rounding=0.05)
    faces = (
        Decal(designs.carton_front(), Flat((7, 16.5), (0, 8.25, 3.5)), rough=0.3),
        Decal(designs.carton_side(), Flat((7, 16.5), (3.5, 8.25, 0), facing=90), rough=0.3),
    )
    green = Material("#2f8f46", rough=0.3)
    cap = solids.lathe(outline("1.35 0, 1.35 0.95, 1.2 1.1, 0 1.12"), smooth=0.06)
    ring = solids.lathe(outline("1.55 0, 1.5 0.3"), smooth=0.04)
    tilt = turned(x=45)
    return (
        Part(
            body,
            Material(
                "#ffffff",
                rough=0.3,
                decals=faces,
                tint=bands([(-1, 11.6, "#fdfaf0"), (11.6, 17, "#2f8f46")]),
            ),
        ),
        Part(gable, green, (0, 16.45, 0)),
        Part(fin, green, (0, 19.4, 0)),
        Part(ring, Material("#f5f5f0", rough=0.25), (0, 17.9, 1.85), tilt),
        Part(cap, Material("#f2f2ee", rough=0.25, bump=knurled(48)), (0, 18.05, 2.0), tilt),
    )


def teddy() -> Product:
    """A plush bear, sitting."""
    coat = Material("#a86f3c", rough=0.9, bump=bumps(np.random.default_rng(8), 0.5, 0.05))
    pale = Material("#d9b184", rough=0.9, bump=bumps(np.random.default_rng(9), 0.4, 0.03))
    black = Material("#120d0b", rough=0.08)
    red = Material("#b3202c", rough=0.85, bump=bumps(np.random.default_rng(10), 0.8, 0.03))
    fur, short = (1100.0, 0.72), (1300.0, 0.36)

    def ball(
        r: tuple[float, float, float], at: tuple[float, float, float], turn: Array | None = None
    ) -> Part:
        return Part(
            solids.ellipsoid(r),
            coat,
            at,
            np.eye(3, dtype=np.float32) if turn is None else turn,
            fur=fur,
        )

    def plain(
        r: tuple[float, float, float],
        at: tuple[float, float, float],
        m: Material,
        hair: tuple[float, float] = (0, 0),
        turn: Array | None = None,
    ) -> Part:
        return Part(
            solids.ellipsoid(r),
            m,
            at,
            np.eye(3, dtype=np.float32) if turn is None else turn,
            fur=hair,
        )

    parts = [ball((4.6, 5.0, 3.9), (0, 4.9, 0)), ball((3.9, 3.6, 3.5), (0, 12.2, 0.3))]
    for side in (-1, 1):
        parts += [
            ball((1.45, 1.45, 0.8), (side * 3.0, 15.2, 0)),
            plain((0.95, 0.95, 0.5), (side * 3.0, 15.15, 0.5), pale, short),
            ball((1.5, 3.2, 1.5), (side * 4.6, 6.9, 1.3), turned(x=-28, z=side * 32)),
            ball((1.9, 1.9, 3.8), (side * 3.4, 1.9, 4.0), turned(y=side * 24)),
            plain((1.5, 1.6, 0.5), (side * 4.9, 2.1, 7.25), pale, short, turned(y=side * 24)),
            plain((0.42, 0.45, 0.3), (side * 1.35, 12.9, 3.72), black),
        ]
    parts += [
        plain((1.75, 1.35, 1.3), (0, 11.3, 3.35), pale, short),
        plain((0.68, 0.48, 0.42), (0, 11.95, 4.55), black),
        plain((1.7, 1.15, 0.6), (1.75, 8.75, 4.75), red, turn=turned(z=18)),
        plain((1.7, 1.15, 0.6), (-1.75, 8.75, 4.75), red, turn=turned(z=-18)),
        plain((0.7, 0.72, 0.75), (0, 8.6, 4.95), red),
    ]
    return tuple(parts)


def orange() -> Product:
    """An orange with its stem and a leaf."""
    random = np.random.default_rng(12)
    fine, broad = bumps(random, 0.17, 0.005), bumps(random, 2.6, 0.035)

    def skin(p: Array) -> Array:
        dimple = np.exp(-(p[0] ** 2 + p[2] ** 2) / 0.5) * (p[1] > 0)
        value = fine(p)
        return np.asarray(np.minimum(value, 0.0) + broad(p) - 0.25 * dimple, np.float32)

    def tone(p: Array) -> Array:
        green = np.exp(-(p[0] ** 2 + p[2] ** 2) / 1.2) * (p[1] > 0) * 0.35
        blotch = 1 + 0.5 * broad(p)
        return np.asarray(
            np.stack([blotch * (1 - green), blotch, np.ones_like(green)], axis=1), np.float32
        )

    peel = Material("#f28c06", rough=0.36, bump=skin, tint=tone)
    stem = solids.lathe(outline("0.3 0, 0.16 0.15, 0.13 0.6, 0.2 0.66"), smooth=0.05)
    star = solids.ellipsoid((0.42, 0.1, 0.42))
    blade = solids.Solid(_leaf_field, (-0.01, -0.6, -1.4), (5.2, 1.3, 1.4), 200, 0.02)
    return (
        Part(solids.ellipsoid((4.05, 3.85, 4.05)), peel, (0, 3.85, 0)),
        Part(star, Material("#5d6b2a", rough=0.6), (0, 7.66, 0)),
        Part(stem, Material("#5a5a2c", rough=0.7), (0, 7.65, 0)),
        Part(
            blade, Material("#2f6e26", rough=0.28, bump=_veins), (0.1, 8.05, 0), turned(y=-28, z=-4)
        ),
    )


def _leaf_field(p: Array) -> Array:
    t = np.clip(p[0] / 5.2, 0, 1)
    half = 1.35 * np.maximum(np.sin(np.pi * t**0.85), 0) ** 0.9 + 0.02
    centre = 0.9 * np.sin(t * 2.6) - 0.5 * t + 0.16 * (p[2] / 1.35) ** 2
    return np.asarray(np.maximum(np.abs(p[1] - centre) - 0.035, np.abs(p[2]) - half), np.float32)


def _veins(p: Array) -> Array:
    middle = np.exp(-((p[2] / 0.05) ** 2))
    side = np.cos((p[0] - np.abs(p[2]) * 0.9) * 11)
    return np.asarray(0.02 * middle + 0.007 * side, np.float32)
