"""Bottles, cans, a tube, a jar, a battery: each function returns the parts of one.

They stand on y = 0, their front toward +z.
"""

import numpy as np

from tools.samples import designs, solids
from tools.samples.materials import Decal, Flat, Material, Projection, Wrap
from tools.samples.scene import Part, turned
from tools.samples.shapes import Product, bands, curve, knurled, outline
from tools.samples.solids import Array


def lotion() -> Product:
    """A pump bottle of body lotion."""
    art = designs.lotion()
    body = solids.lathe(
        outline(
            "0 0, 2.85 0, 3.05 0.25, 3.1 0.6, 3.1 11.6, 3 12.2, 2.7 12.8, 2.1 13.3, "
            "1.45 13.55, 1.4 13.9"
        ),
        smooth=0.22,
    )
    decal = Decal(art, Wrap((5.2, 9.2), 3.1, 1.6), rough=0.35)
    gold = Material("#d9a183", rough=0.16, metal=1.0)
    white = Material("#f4e4e1", rough=0.22, decals=(decal,))
    collar = solids.lathe(outline("1.6 0, 1.62 0.1, 1.62 1.3, 1.5 1.42, 0.6 1.45"), smooth=0.05)
    stem = solids.lathe(outline("0.42 0, 0.42 1.5"), smooth=0.02)
    head = solids.lathe(outline("0.75 0, 0.95 0.12, 0.95 0.95, 0.8 1.1, 0 1.15"), smooth=0.1)
    spout = solids.lathe(outline("0.5 0, 0.46 1.4, 0.38 2.6, 0.3 2.75"), smooth=0.06)
    return (
        Part(body, white),
        Part(collar, gold, (0, 13.7, 0)),
        Part(stem, Material("#e9e2df", rough=0.2), (0, 15.0, 0)),
        Part(head, gold, (0, 16.3, 0)),
        Part(spout, gold, (-0.4, 16.85, 0.15), turned(x=8, y=-50, z=84)),
    )


def tea_tin() -> Product:
    """A round tea tin with a lid, dark green lacquer."""
    body = solids.lathe(outline("3.75 0, 3.9 0.08, 3.9 0.3, 3.8 0.36, 3.8 10.2"), smooth=0.05)
    lid = solids.lathe(
        outline(
            "3.92 0, 3.98 0.06, 3.98 0.2, 3.92 0.26, 3.92 2.3, 3.85 2.5, 3.6 2.55, 3.55 2.42, 0 2.4"
        ),
        smooth=0.05,
    )
    decal = Decal(designs.tea(), Wrap((6.4, 8.6), 3.8, 0.7), rough=0.3)
    lacquer = Material("#173a2c", rough=0.2, decals=(decal,))
    return (Part(body, lacquer), Part(lid, Material("#dcb670", rough=0.3, metal=1.0), (0, 10.0, 0)))


def water_bottle() -> Product:
    """A clear bottle, full, with a film label and a screw cap."""
    profile: list[tuple[float, float]] = [(2.5, 0), (2.9, 0.12), (3.1, 0.35), (3.2, 0.8)]
    profile += [(3.2 - 0.13 * (k % 2), 1.2 + 0.42 * k) for k in range(13)]
    profile += [(3.2, 7.0), (3.12, 7.2), (3.12, 12.4), (3.2, 12.6)]
    profile += [(3.2 - 0.11 * (k % 2), 12.9 + 0.42 * k) for k in range(6)]
    dome = np.linspace(0, 1, 16)
    profile += [
        (float(1.38 + 1.8 * np.cos(t * np.pi / 2) ** 0.9), float(15.3 + 3.9 * t)) for t in dome
    ]
    profile += [(1.3, 19.4), (1.3, 19.8), (1.62, 19.85), (1.62, 20.05), (1.3, 20.1), (1.3, 20.5)]
    film = Decal(designs.water(), Wrap((19.6, 5.2), 3.12, 7.2), rough=0.2)
    body = Material("#f2f8fa", rough=0.03, clear=0.97, decals=(film,))
    cap = solids.lathe(outline("1.56 0, 1.58 0.06, 1.58 1.3, 1.45 1.5, 0 1.52"), smooth=0.08)
    return (
        Part(solids.lathe(profile, smooth=0.16), body, shade=0.5),
        Part(cap, Material("#1d62a8", rough=0.3, bump=knurled(60)), (0, 20.2, 0)),
    )


def soda_can() -> Product:
    """An aluminium can, 330 mL."""
    shell = outline(
        "2.2 0, 2.45 0.05, 2.6 0.3, 3.1 1, 3.3 1.35, 3.3 10.3, 3.2 10.7, 2.75 11.4, "
        "2.62 11.6, 2.68 11.72, 2.68 11.86, 2.6 11.9"
    )
    lid = solids.lathe(outline("0 11.62, 2.45 11.63, 2.46 12.2"), smooth=0.03)
    metal = solids.hollow(solids.lathe(shell, smooth=0.07), lid)
    art = Decal(designs.soda(), Wrap((13, 10.4), 3.3, 0.6), rough=0.3)
    paint = bands([(0.0, 0.95, "#c9ccd0"), (0.95, 10.75, "#f58a12"), (10.75, 12, "#c9ccd0")])
    skin = Material("#ffffff", rough=0.3, metal=0.7, decals=(art,), tint=paint)
    tab = solids.ellipsoid((0.55, 0.06, 1.0))
    return (
        Part(metal, skin),
        Part(tab, Material("#c4c7cb", rough=0.25, metal=1.0), (0, 11.72, 0.4)),
    )


def soap_bottle() -> Product:
    """A squeezing bottle of dish soap with a push-pull cap."""
    width = curve(
        outline(
            "0 3.5, 0.03 3.75, 0.25 3.8, 0.45 3.45, 0.62 3.55, 0.78 3.35, 0.88 2.6, 0.96 1.4, 1 1.3"
        )
    )
    depth = curve(
        outline(
            "0 2.1, 0.03 2.35, 0.25 2.4, 0.45 2.2, 0.62 2.25, 0.78 2.2, 0.88 1.8, 0.96 1.3, 1 1.2"
        )
    )
    body = solids.loft(17.5, width, depth, 3.95)
    label = Decal(designs.dish_soap(), Flat((5.8, 8.8), (0, 6.6, 0), strict=0.2), rough=0.2)
    cap = solids.lathe(
        outline(
            "1.5 0, 1.55 0.08, 1.55 1.5, 1.2 1.75, 0.75 1.85, 0.7 2.6, 0.85 2.7, "
            "0.85 3.2, 0.55 3.35, 0 3.36"
        ),
        smooth=0.07,
    )
    return (
        Part(body, Material("#f2c230", rough=0.14, decals=(label,))),
        Part(cap, Material("#168f87", rough=0.25), (0, 17.2, 0)),
    )


def cream_tube() -> Product:
    """A tube standing on its cap, flat and crimped at the top."""
    height = 14.5
    width = curve(outline("0 2.15, 0.1 2.3, 0.5 2.75, 0.9 3.25, 1 3.3"))
    depth = curve(outline("0 2.15, 0.1 2.2, 0.35 1.95, 0.65 1.25, 0.88 0.35, 0.93 0.16, 1 0.15"))
    body = solids.loft(height, width, depth, 3.4)

    def crimp(p: Array) -> Array:
        band = np.clip((p[1] - 13.3) / 0.1, 0, 1)
        return np.asarray(0.02 * np.cos(p[0] * 22) * band, np.float32)

    art: Projection = Flat((4.4, 11.2), (0, 7.0, 0), strict=0.15)
    skin = Material(
        "#8f6bb0", rough=0.24, decals=(Decal(designs.tube(), art, rough=0.3),), bump=crimp
    )
    cap = solids.lathe(outline("1.95 0, 2.1 0.1, 2.15 2.5, 2.05 2.65, 1.8 2.7"), smooth=0.07)
    return (Part(cap, Material("#f4f0f6", rough=0.2)), Part(body, skin, (0, 2.6, 0)))


def battery() -> Product:
    """A D cell, standing; the catalogue lays it down."""
    case = solids.lathe(
        outline("1.2 0, 1.55 0.05, 1.62 0.2, 1.62 5.6, 1.55 5.78, 1.3 5.82"), smooth=0.04
    )
    button = solids.lathe(outline("0.48 0, 0.48 0.22, 0.4 0.27, 0 0.28"), smooth=0.03)
    paint = bands(
        [
            (0, 0.12, "#d8dadd"),
            (0.12, 4.55, "#2a2c31"),
            (4.55, 5.65, "#d89a3a"),
            (5.65, 7, "#d8dadd"),
        ]
    )
    art = Decal(designs.battery().sideways(), Wrap((3.3, 4.4), 1.62, 0.15), rough=0.25)
    skin = Material("#ffffff", rough=0.25, metal=0.55, decals=(art,), tint=paint)
    return (Part(case, skin), Part(button, Material("#d8dadd", rough=0.2, metal=1.0), (0, 5.8, 0)))


def amber_jar() -> Product:
    """A brown glass jar with a black lid and an empty label."""
    glass = solids.lathe(
        outline("2.9 0, 3.25 0.12, 3.35 0.4, 3.35 6.1, 3.2 6.5, 2.9 6.7"), smooth=0.12
    )
    lid = solids.lathe(outline("3.28 0, 3.34 0.06, 3.34 1.7, 3.25 1.85, 0 1.9"), smooth=0.07)
    paper = Decal(designs.blank(), Wrap((6.2, 4.0), 3.35, 1.3), rough=0.7)
    brown = Material("#7d3a0c", rough=0.03, clear=0.97, decals=(paper,))
    return (Part(glass, brown, shade=0.9), Part(lid, Material("#17181a", rough=0.32), (0, 6.4, 0)))
