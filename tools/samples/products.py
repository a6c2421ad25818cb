"""The products: each function returns the parts of one, standing on y = 0, its front toward +z."""

from collections.abc import Callable

import cv2
import numpy as np

from tools.samples import designs, solids
from tools.samples.scene import Decal, Flat, Material, Part, Projection, Wrap, turned
from tools.samples.solids import Array
from tools.samples.textures import bumps

Product = tuple[Part, ...]


def place(product: Product, x: float = 0.0, z: float = 0.0, *, facing: float = 0.0, y: float = 0.0) -> Product:
    """Turn a product about its upright axis (degrees) and put it on the table."""
    turn = turned(y=facing)
    return tuple(part.placed((x, y, z), turn) for part in product)


def lotion() -> Product:
    """A pump bottle of body lotion."""
    art = designs.lotion()
    body = solids.lathe(
        [(0, 0), (2.85, 0), (3.05, 0.25), (3.1, 0.6), (3.1, 11.6), (3.0, 12.2), (2.7, 12.8), (2.1, 13.3), (1.45, 13.55), (1.4, 13.9)],
        smooth=0.22,
    )
    decal = Decal(art, Wrap((5.2, 9.2), 3.1, 1.6), rough=0.35)
    gold = Material("#d9a183", rough=0.16, metal=1.0)
    white = Material("#f4e4e1", rough=0.22, decals=(decal,))
    collar = solids.lathe([(1.6, 0), (1.62, 0.1), (1.62, 1.3), (1.5, 1.42), (0.6, 1.45)], smooth=0.05)
    stem = solids.lathe([(0.42, 0), (0.42, 1.5)], smooth=0.02)
    head = solids.lathe([(0.75, 0), (0.95, 0.12), (0.95, 0.95), (0.8, 1.1), (0.0, 1.15)], smooth=0.1)
    spout = solids.lathe([(0.5, 0), (0.46, 1.4), (0.38, 2.6), (0.3, 2.75)], smooth=0.06)
    return (
        Part(body, white),
        Part(collar, gold, (0, 13.7, 0)),
        Part(stem, Material("#e9e2df", rough=0.2), (0, 15.0, 0)),
        Part(head, gold, (0, 16.3, 0)),
        Part(spout, gold, (-0.4, 16.85, 0.15), turned(x=8, y=-50, z=84)),
    )


def tea_tin() -> Product:
    """A round tea tin with a lid, dark green lacquer."""
    body = solids.lathe([(3.75, 0), (3.9, 0.08), (3.9, 0.3), (3.8, 0.36), (3.8, 10.2)], smooth=0.05)
    lid = solids.lathe([(3.92, 0), (3.98, 0.06), (3.98, 0.2), (3.92, 0.26), (3.92, 2.3), (3.85, 2.5), (3.6, 2.55), (3.55, 2.42), (0, 2.4)], smooth=0.05)
    decal = Decal(designs.tea(), Wrap((6.4, 8.6), 3.8, 0.7), rough=0.3)
    lacquer = Material("#173a2c", rough=0.2, decals=(decal,))
    return (Part(body, lacquer), Part(lid, Material("#c39a54", rough=0.24, metal=1.0), (0, 10.0, 0)))


def electronics_box() -> Product:
    """A printed cardboard box, 15 x 10 x 5 cm."""
    faces = (
        Decal(designs.box_front(), Flat((15, 10), (0, 5, 2.5)), rough=0.28),
        Decal(designs.box_side(), Flat((5, 10), (7.5, 5, 0), facing=90), rough=0.28),
        Decal(designs.box_top(), Flat((15, 5), (0, 10, 0), top=True), rough=0.28),
    )
    return (Part(solids.box((15, 10, 5), rounding=0.06), Material("#e8eaee", rough=0.3, decals=faces)),)


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
    table = (0.14 + 3.4 * belly * rise * foot * (1 + 0.06 * dent(p) + 0.035 * crease(p))).reshape(columns.shape)
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
        return np.asarray(fold(stretched) * (0.6 + upper) * (1 - 0.8 * seal) + fine(p) + ridges, np.float32)

    solid = solids.pillow((13.5, 20.5), depth, 4.2)
    art = Decal(designs.flour(), Flat((12, 17.5), (0, 9.2, 0), strict=0.25), rough=0.55)
    bag = Material("#b88a56", rough=0.62, decals=(art,), bump=paper)
    return (Part(solid, bag),)


def water_bottle() -> Product:
    """A clear bottle, full, with a film label and a screw cap."""
    profile: list[tuple[float, float]] = [(0, 0.25), (1.6, 0.1), (2.6, 0), (3.0, 0.2), (3.2, 0.8)]
    profile += [(3.2 - 0.13 * (k % 2), 1.2 + 0.42 * k) for k in range(13)]
    profile += [(3.2, 7.0), (3.12, 7.2), (3.12, 12.4), (3.2, 12.6)]
    profile += [(3.2 - 0.11 * (k % 2), 12.9 + 0.42 * k) for k in range(6)]
    profile += [(3.05, 15.8), (2.6, 17.0), (1.9, 18.2), (1.42, 19.0), (1.3, 19.4), (1.3, 19.8), (1.62, 19.85), (1.62, 20.05), (1.3, 20.1), (1.3, 20.5)]
    film = Decal(designs.water(), Wrap((19.6, 5.2), 3.12, 7.2), rough=0.2)
    body = Material("#f2f8fa", rough=0.03, clear=0.97, decals=(film,))
    ribs = bumps(np.random.default_rng(3), 0.5, 0.0)

    def knurl(p: Array) -> Array:
        angle = np.arctan2(p[0], p[2])
        return np.asarray(0.03 * np.cos(angle * 60) + ribs(p), np.float32)

    cap = solids.lathe([(1.56, 0), (1.58, 0.06), (1.58, 1.3), (1.45, 1.5), (0, 1.52)], smooth=0.08)
    return (
        Part(solids.lathe(profile, smooth=0.16), body, shade=0.5),
        Part(cap, Material("#1d62a8", rough=0.3, bump=knurl), (0, 20.2, 0)),
    )


def juice_carton() -> Product:
    """A gable-top carton, one litre, with a screw cap on the slope."""
    body = solids.box((7, 16.5, 7), rounding=0.08)
    slope = 0.98
    gable = solids.polytope(
        [(1, 0, 0, 3.5), (-1, 0, 0, 3.5), (0, slope, 1, 3.5), (0, slope, -1, 3.5), (0, -1, 0, 0), (0, 1, 0, 3.2)], 3.52, rounding=0.1
    )
    fin = solids.box((7, 1.5, 0.26), rounding=0.05)
    faces = (
        Decal(designs.carton_front(), Flat((7, 16.5), (0, 8.25, 3.5)), rough=0.3),
        Decal(designs.carton_side(), Flat((7, 16.5), (3.5, 8.25, 0), facing=90), rough=0.3),
    )
    green = Material("#2f8f46", rough=0.3)
    cap = solids.lathe([(1.35, 0), (1.35, 0.95), (1.2, 1.1), (0, 1.12)], smooth=0.06)
    ring = solids.lathe([(1.55, 0), (1.5, 0.3)], smooth=0.04)
    tilt = turned(x=45)
    return (
        Part(body, Material("#fdfaf0", rough=0.3, decals=faces)),
        Part(gable, green, (0, 16.45, 0)),
        Part(fin, green, (0, 19.4, 0)),
        Part(ring, Material("#f5f5f0", rough=0.25), (0, 17.9, 1.85), tilt),
        Part(cap, Material("#f2f2ee", rough=0.25, bump=_knurled(48)), (0, 18.05, 2.0), tilt),
    )


def _knurled(count: int) -> Callable[[Array], Array]:
    def height(p: Array) -> Array:
        return np.asarray(0.03 * np.cos(np.arctan2(p[0], p[2]) * count), np.float32)

    return height


def soda_can() -> Product:
    """An aluminium can, 330 mL."""
    shell = [(2.2, 0), (2.45, 0.05), (2.6, 0.3), (3.1, 1.0), (3.3, 1.35), (3.3, 10.3), (3.2, 10.7), (2.75, 11.4), (2.62, 11.6), (2.68, 11.72), (2.68, 11.86), (2.6, 11.9)]
    lid = solids.lathe([(0, 11.62), (2.45, 11.63), (2.46, 12.2)], smooth=0.03)
    metal = solids.hollow(solids.lathe(shell, smooth=0.07), lid)
    art = Decal(designs.soda(), Wrap((13, 10.4), 3.3, 0.6), rough=0.22)
    paint = _bands([(0.0, 0.95, "#c9ccd0"), (0.95, 10.75, "#f58a12"), (10.75, 12, "#c9ccd0")])
    skin = Material("#ffffff", rough=0.2, metal=0.72, decals=(art,), tint=paint)
    tab = solids.ellipsoid((0.55, 0.06, 1.0))
    return (Part(metal, skin), Part(tab, Material("#c4c7cb", rough=0.25, metal=1.0), (0, 11.72, 0.4)))


def _bands(rows: list[tuple[float, float, str]]) -> Callable[[Array], Array]:
    from tools.samples.textures import linear

    def tint(p: Array) -> Array:
        colour = np.ones((p.shape[1], 3), np.float32)
        for low, high, name in rows:
            colour[(p[1] >= low) & (p[1] < high)] = linear(name)
        return colour

    return tint


def soap_bottle() -> Product:
    """A squeezing bottle of dish soap with a push-pull cap."""
    width = _curve([(0, 3.5), (0.03, 3.75), (0.25, 3.8), (0.45, 3.45), (0.62, 3.55), (0.78, 3.35), (0.88, 2.6), (0.96, 1.4), (1, 1.3)])
    depth = _curve([(0, 2.1), (0.03, 2.35), (0.25, 2.4), (0.45, 2.2), (0.62, 2.25), (0.78, 2.2), (0.88, 1.8), (0.96, 1.3), (1, 1.2)])
    body = solids.loft(17.5, width, depth, 3.95)
    label = Decal(designs.dish_soap(), Flat((5.8, 8.8), (0, 6.6, 0), strict=0.2), rough=0.2)
    cap = solids.lathe([(1.5, 0), (1.55, 0.08), (1.55, 1.5), (1.2, 1.75), (0.75, 1.85), (0.7, 2.6), (0.85, 2.7), (0.85, 3.2), (0.55, 3.35), (0, 3.36)], smooth=0.07)
    return (
        Part(body, Material("#f2c230", rough=0.14, decals=(label,))),
        Part(cap, Material("#168f87", rough=0.25), (0, 17.2, 0)),
    )


def _curve(points: list[tuple[float, float]]) -> Callable[[Array], Array]:
    """A smooth function through (v, value) points, as a table."""
    at, value = np.array(points, np.float32).T
    grid = np.linspace(0, 1, 1025)
    table = np.interp(grid, at, value)
    kernel = np.hanning(91)
    table = np.convolve(np.pad(table, 45, mode="edge"), kernel / kernel.sum(), mode="valid")

    def function(v: Array) -> Array:
        place = np.clip(v, 0, 1) * 1024
        low = np.minimum(place.astype(np.int32), 1023)
        part = place - low
        return np.asarray(table[low] * (1 - part) + table[low + 1] * part, np.float32)

    return function


def cream_tube() -> Product:
    """A tube standing on its cap, flat and crimped at the top."""
    height = 14.5
    width = _curve([(0, 2.15), (0.1, 2.3), (0.5, 2.75), (0.9, 3.25), (1, 3.3)])
    depth = _curve([(0, 2.15), (0.1, 2.2), (0.35, 1.95), (0.65, 1.25), (0.88, 0.35), (0.93, 0.16), (1, 0.15)])
    body = solids.loft(height, width, depth, 3.4)

    def crimp(p: Array) -> Array:
        band = np.clip((p[1] - 13.3) / 0.1, 0, 1)
        return np.asarray(0.02 * np.cos(p[0] * 22) * band, np.float32)

    art: Projection = Flat((4.4, 11.2), (0, 7.0, 0), strict=0.15)
    skin = Material("#8f6bb0", rough=0.24, decals=(Decal(designs.tube(), art, rough=0.3),), bump=crimp)
    cap = solids.lathe([(1.95, 0), (2.1, 0.1), (2.15, 2.5), (2.05, 2.65), (1.8, 2.7)], smooth=0.07)
    return (Part(cap, Material("#f4f0f6", rough=0.2)), Part(body, skin, (0, 2.6, 0)))


def battery() -> Product:
    """A D cell, standing; the catalogue lays it down."""
    case = solids.lathe([(1.2, 0), (1.55, 0.05), (1.62, 0.2), (1.62, 5.6), (1.55, 5.78), (1.3, 5.82)], smooth=0.04)
    button = solids.lathe([(0.48, 0), (0.48, 0.22), (0.4, 0.27), (0, 0.28)], smooth=0.03)
    paint = _bands([(0, 0.12, "#d8dadd"), (0.12, 4.55, "#2a2c31"), (4.55, 5.65, "#d89a3a"), (5.65, 7, "#d8dadd")])
    art = Decal(designs.battery().sideways(), Wrap((3.3, 4.4), 1.62, 0.15), rough=0.25)
    skin = Material("#ffffff", rough=0.25, metal=0.55, decals=(art,), tint=paint)
    return (Part(case, skin), Part(button, Material("#d8dadd", rough=0.2, metal=1.0), (0, 5.8, 0)))


def teddy() -> Product:
    """A plush bear, sitting."""
    coat = Material("#a86f3c", rough=0.9, bump=bumps(np.random.default_rng(8), 0.5, 0.05))
    pale = Material("#d9b184", rough=0.9, bump=bumps(np.random.default_rng(9), 0.4, 0.03))
    black = Material("#120d0b", rough=0.08)
    red = Material("#b3202c", rough=0.55, bump=bumps(np.random.default_rng(10), 0.6, 0.05))
    fur, short = (1100.0, 0.72), (1300.0, 0.36)

    def ball(r: tuple[float, float, float], at: tuple[float, float, float], turn: Array | None = None) -> Part:
        return Part(solids.ellipsoid(r), coat, at, np.eye(3, dtype=np.float32) if turn is None else turn, fur=fur)

    def plain(r: tuple[float, float, float], at: tuple[float, float, float], m: Material, hair: tuple[float, float] = (0, 0), turn: Array | None = None) -> Part:
        return Part(solids.ellipsoid(r), m, at, np.eye(3, dtype=np.float32) if turn is None else turn, fur=hair)

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
    fine, broad = bumps(random, 0.2, 0.006), bumps(random, 2.2, 0.05)

    def skin(p: Array) -> Array:
        dimple = np.exp(-(p[0] ** 2 + p[2] ** 2) / 0.5) * (p[1] > 0)
        value = fine(p)
        return np.asarray(np.minimum(value, 0.0) + broad(p) - 0.25 * dimple, np.float32)

    def tone(p: Array) -> Array:
        green = np.exp(-(p[0] ** 2 + p[2] ** 2) / 1.2) * (p[1] > 0) * 0.35
        blotch = 1 + 0.5 * broad(p)
        return np.asarray(np.stack([blotch * (1 - green), blotch, np.ones_like(green)], axis=1), np.float32)

    peel = Material("#f28c06", rough=0.36, bump=skin, tint=tone)
    stem = solids.lathe([(0.3, 0), (0.16, 0.15), (0.13, 0.6), (0.2, 0.66)], smooth=0.05)
    star = solids.ellipsoid((0.42, 0.1, 0.42))
    blade = solids.Solid(_leaf_field, (-0.01, -0.6, -1.4), (5.2, 1.3, 1.4), 64, 0.02)
    return (
        Part(solids.ellipsoid((4.05, 3.85, 4.05)), peel, (0, 3.85, 0)),
        Part(star, Material("#5d6b2a", rough=0.6), (0, 7.66, 0)),
        Part(stem, Material("#5a5a2c", rough=0.7), (0, 7.65, 0)),
        Part(blade, Material("#2f6e26", rough=0.28, bump=_veins), (0.1, 8.05, 0), turned(y=-28, z=-4)),
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


def amber_jar() -> Product:
    """A brown glass jar with a black lid and an empty label."""
    glass = solids.lathe([(2.9, 0), (3.25, 0.12), (3.35, 0.4), (3.35, 6.1), (3.2, 6.5), (2.9, 6.7)], smooth=0.12)
    lid = solids.lathe([(3.28, 0), (3.34, 0.06), (3.34, 1.7), (3.25, 1.85), (0, 1.9)], smooth=0.07)
    paper = Decal(designs.blank(), Wrap((6.2, 4.0), 3.35, 1.3), rough=0.7)
    brown = Material("#7d3a0c", rough=0.03, clear=0.97, decals=(paper,))
    return (Part(glass, brown, shade=0.9), Part(lid, Material("#17181a", rough=0.32), (0, 6.4, 0)))
