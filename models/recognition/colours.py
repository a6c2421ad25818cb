"""Dominant colours of the subject, with the names that people search by."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.results import Colour

#: Long side in pixels of the picture that is clustered: colours need no detail.
REDUCED = 72

#: Clusters that are sought; those of one name are merged afterwards.
CLUSTERS = 7

#: Most colours in a result.
MOST = 5

#: Colours below this share are left out: edges and shadows make many tiny ones.
SMALLEST_SHARE = 0.04

#: Rounds of k-means; it stands still after about ten.
ROUNDS = 20

#: Distance in Lab (CIE76) within which a pixel counts as background of the border's colour.
BACKGROUND_REACH = 9.0

#: Share of the border that has to look alike for a plain studio background.
PLAIN_BORDER = 0.75

#: Below this share of the picture, what is left without the background is no subject.
SMALLEST_SUBJECT = 0.03

#: Spread of the centre weighting, as a share of each side: the subject is usually central.
CENTRE_SPREAD = 0.30

#: Seed of the first cluster centres: equal pictures give equal colours.
SEED = 20


@dataclass(frozen=True, slots=True)
class _Name:
    en: str
    zh: str
    shades: tuple[str, ...]


#: Basic colour names with typical shades of each; a colour takes the name of the nearest shade.
#: Gold and silver are missing on purpose: they are a shine, not a colour that one pixel has.
NAMES: tuple[_Name, ...] = (
    _Name("white", "白色", ("#ffffff", "#f4f4f2", "#eaecee")),
    _Name("black", "黑色", ("#000000", "#161616", "#20201e", "#1a1c22")),
    _Name("grey", "灰色", ("#808080", "#5a5a5a", "#3c3c3c", "#a6a6a6", "#c8c8c8", "#6a7078")),
    _Name("red", "红色", ("#e0201c", "#b01418", "#7c1418", "#e84a40", "#c8283c")),
    _Name("orange", "橙色", ("#f5821e", "#ff9c38", "#e06818", "#f0a050")),
    _Name("yellow", "黄色", ("#f8e020", "#fff06a", "#e8c020", "#f4d860", "#c8b420")),
    _Name(
        "green",
        "绿色",
        (
            "#20a040",
            "#106828",
            "#0c3c1c",
            "#60c060",
            "#90d890",
            "#7a9a30",
            "#a8c860",
            "#5a6e3a",
            "#b4bc78",
        ),
    ),
    _Name("cyan", "青色", ("#20c8d0", "#20a0a0", "#106c70", "#90e0e4")),
    _Name(
        "blue",
        "蓝色",
        ("#2050d0", "#102878", "#0c1840", "#3c8ce0", "#80b8f0", "#b0d4f4", "#486890", "#2a4a6e"),
    ),
    _Name("purple", "紫色", ("#8030b0", "#501870", "#a070d0", "#c8a8e4", "#6a4a80", "#341448")),
    _Name("pink", "粉色", ("#f480b0", "#f8b4cc", "#fad4dc", "#e84890", "#d890a0")),
    _Name("brown", "棕色", ("#7a4a24", "#50300e", "#3a2418", "#9c6a40", "#b4845a", "#6a4838")),
    _Name("beige", "米色", ("#e8dcc0", "#d8c8a4", "#f2e8d4", "#c8b494", "#e4c8a8")),
)


def dominant_colours(rgb: NDArray[np.uint8]) -> tuple[Colour, ...]:
    """Find the colours of the subject, the largest first.

    A plain background that reaches the border is left out, the rest is weighted towards the
    centre and clustered by k-means in CIE Lab; clusters of one name are merged. The same picture
    always gives the same answer.

    Args:
        rgb: uint8, shape (height, width, 3); not modified.

    Returns:
        At most five colours whose shares sum to at most 1.
    """
    lab = _to_lab(_reduced(rgb))
    weights = _weights(lab)
    points = lab.reshape(-1, 3)[weights.ravel() > 0]
    masses = weights[weights > 0]
    centres, owners = _cluster(points, masses)
    shares = np.bincount(owners, weights=masses, minlength=len(centres)) / masses.sum()
    merged: dict[int, tuple[NDArray[np.float64], float]] = {}
    for centre, share in zip(centres, shares, strict=True):
        name = _nearest_name(centre)
        mean, mass = merged.get(name, (np.zeros(3), 0.0))
        total = mass + float(share)
        merged[name] = ((mean * mass + centre * share) / total if total else mean, total)
    ranked = sorted(merged.items(), key=lambda item: (-item[1][1], item[0]))
    return tuple(
        _colour(name, mean, share)
        for name, (mean, share) in ranked[:MOST]
        if share >= SMALLEST_SHARE
    )


def colour_name(hex_code: str) -> tuple[str, str]:
    """The English and Chinese basic name of `#rrggbb`."""
    name = NAMES[_nearest_name(_hex_to_lab((hex_code,))[0])]
    return name.en, name.zh


def _reduced(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    # Every n-th pixel of a large picture is plenty for its colours, and ten times cheaper.
    step = max(1, max(rgb.shape[:2]) // (REDUCED * 8))
    rgb = np.ascontiguousarray(rgb[::step, ::step])
    height, width = rgb.shape[:2]
    scale = min(1.0, REDUCED / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _to_lab(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255.0, cv2.COLOR_RGB2Lab)
    return np.asarray(lab, dtype=np.float64)


def _hex_to_lab(codes: tuple[str, ...]) -> NDArray[np.float64]:
    pixels = np.array([[int(code[at : at + 2], 16) for at in (1, 3, 5)] for code in codes])
    row: NDArray[np.float64] = _to_lab(pixels.astype(np.uint8)[np.newaxis])[0]
    return row


def _weights(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of each pixel: a bell over the picture, 0 on a plain background."""
    height, width = lab.shape[:2]
    rows = (np.arange(height) + 0.5) / height - 0.5
    columns = (np.arange(width) + 0.5) / width - 0.5
    distance = rows[:, np.newaxis] ** 2 + columns[np.newaxis, :] ** 2
    bell = np.exp(-distance / (2 * CENTRE_SPREAD**2))
    subject = ~_background(lab)
    return np.where(subject, bell, 0.0) if subject.mean() >= SMALLEST_SUBJECT else bell


def _background(lab: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Pixels of the border's colour that hang together with the border; none where it varies."""
    edge = np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]])
    near_edge = np.linalg.norm(edge - np.median(edge, axis=0), axis=1) < BACKGROUND_REACH
    if near_edge.mean() < PLAIN_BORDER:
        return np.zeros(lab.shape[:2], dtype=np.bool_)
    alike = np.linalg.norm(lab - np.median(edge, axis=0), axis=2) < BACKGROUND_REACH
    _, parts = cv2.connectedComponents(alike.astype(np.uint8), connectivity=4)
    border = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    return np.asarray(alike & np.isin(parts, np.unique(border[border > 0])), dtype=np.bool_)


def _cluster(
    points: NDArray[np.float64], masses: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Weighted k-means (Lloyd) with k-means++ seeding.

    Written out because OpenCV's takes no weights and draws from a generator that all threads share.
    """
    generator = np.random.default_rng(SEED)
    centres = points[[int(generator.choice(len(points), p=masses / masses.sum()))]]
    while len(centres) < CLUSTERS:
        gaps = _distances(points, centres).min(axis=1) * masses
        if gaps.sum() <= 0:
            break
        chosen = int(generator.choice(len(points), p=gaps / gaps.sum()))
        centres = np.vstack([centres, points[chosen]])
    owners = _distances(points, centres).argmin(axis=1)
    for _ in range(ROUNDS):
        totals = np.bincount(owners, weights=masses, minlength=len(centres))
        sums = np.stack(
            [
                np.bincount(owners, weights=masses * points[:, axis], minlength=len(centres))
                for axis in range(3)
            ],
            axis=1,
        )
        filled = totals > 0
        centres = np.where(
            filled[:, np.newaxis], sums / np.where(filled, totals, 1.0)[:, np.newaxis], centres
        )
        moved = _distances(points, centres).argmin(axis=1)
        if np.array_equal(moved, owners):
            break
        owners = moved
    return centres, owners


def _distances(points: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances, shape (points, centres)."""
    # |p - c|^2 = |p|^2 - 2 p.c + |c|^2: one matrix product instead of a cube of differences.
    squares = (points**2).sum(axis=1)[:, np.newaxis] + (centres**2).sum(axis=1)
    answer: NDArray[np.float64] = np.maximum(squares - 2 * points @ centres.T, 0.0)
    return answer


@cache
def _palette() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Every shade in Lab, and the index of the name that it stands for."""
    shades = tuple(shade for name in NAMES for shade in name.shades)
    owners = [index for index, name in enumerate(NAMES) for _ in name.shades]
    return _hex_to_lab(shades), np.array(owners, dtype=np.int64)


def _nearest_name(lab: NDArray[np.float64]) -> int:
    shades, owners = _palette()
    return int(owners[np.linalg.norm(shades - lab, axis=1).argmin()])


def _colour(name: int, lab: NDArray[np.float64], share: float) -> Colour:
    pixel = cv2.cvtColor(lab.astype(np.float32).reshape(1, 1, 3), cv2.COLOR_Lab2RGB)
    red, green, blue = np.clip(np.rint(pixel[0, 0] * 255), 0, 255).astype(int)
    return Colour(
        hex=f"#{red:02x}{green:02x}{blue:02x}",
        en=NAMES[name].en,
        zh=NAMES[name].zh,
        # Rounded down, so that the shares of a result never sum to more than 1.
        share=np.floor(min(share, 1.0) * 1e4) / 1e4,
    )
