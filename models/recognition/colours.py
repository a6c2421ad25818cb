"""Dominant colours of the subject, with the names that people search by."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.recognition.palette import NAMES, nearest_name, to_lab
from packshot.imaging.scale import fit, halved
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
    lab = to_lab(_reduced(rgb))
    weights = _weights(lab)
    points = lab.reshape(-1, 3)[weights.ravel() > 0]
    masses = weights[weights > 0]
    centres, owners = _cluster(points, masses)
    shares = np.bincount(owners, weights=masses, minlength=len(centres)) / masses.sum()
    merged: dict[int, tuple[NDArray[np.float64], float]] = {}
    for centre, share in zip(centres, shares, strict=True):
        name = nearest_name(centre)
        mean, mass = merged.get(name, (np.zeros(3), 0.0))
        total = mass + float(share)
        merged[name] = ((mean * mass + centre * share) / total if total else mean, total)
    ranked = sorted(merged.items(), key=lambda item: (-item[1][1], item[0]))
    return tuple(
        _colour(name, mean, share)
        for name, (mean, share) in ranked[:MOST]
        if share >= SMALLEST_SHARE
    )


def _reduced(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rgb = halved(rgb, REDUCED, REDUCED)
    # Of what has no half every n-th pixel is plenty for its colours, and ten times cheaper.
    step = max(1, max(rgb.shape[:2]) // (REDUCED * 8))
    return fit(np.ascontiguousarray(rgb[::step, ::step]), REDUCED)


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
    lengths = (points**2).sum(axis=1)[:, np.newaxis]
    centres = points[[int(generator.choice(len(points), p=masses / masses.sum()))]]
    while len(centres) < CLUSTERS:
        gaps = _distances(points, lengths, centres).min(axis=1) * masses
        if gaps.sum() <= 0:
            break
        chosen = int(generator.choice(len(points), p=gaps / gaps.sum()))
        centres = np.vstack([centres, points[chosen]])
    owners = _distances(points, lengths, centres).argmin(axis=1)
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
        moved = _distances(points, lengths, centres).argmin(axis=1)
        if np.array_equal(moved, owners):
            break
        owners = moved
    return centres, owners


def _distances(
    points: NDArray[np.float64], lengths: NDArray[np.float64], centres: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Squared distances, shape (points, centres); `lengths` are the points' own, squared."""
    # |p - c|^2 = |p|^2 - 2 p.c + |c|^2: one matrix product instead of a cube of differences.
    squares = lengths + (centres**2).sum(axis=1)
    answer: NDArray[np.float64] = np.maximum(squares - 2 * points @ centres.T, 0.0)
    return answer


def _colour(name: int, lab: NDArray[np.float64], share: float) -> Colour:
    pixel = cv2.cvtColor(lab.astype(np.float32).reshape(1, 1, 3), cv2.COLOR_Lab2RGB)
    red, green, blue = np.clip(np.rint(pixel[0, 0] * 255), 0, 255).astype(int)
    return Colour(
        hex=f"#{red:02x}{green:02x}{blue:02x}",
        en=NAMES[name].en,
        zh=NAMES[name].zh,
        # Rounded down, so that the shares of a result never sum to more than 1; the small addend
        # keeps 1 at 1 in spite of the sum's last binary digit.
        share=np.floor(min(share, 1.0) * 1e4 + 1e-6) / 1e4,
    )
