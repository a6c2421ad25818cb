"""A person's word on a matte: what is subject, what is background, and where to look again.

A trimap says of every pixel 0 (background), 255 (subject) or 128 (unknown). In the unknown part
alpha is solved anew: the colours of subject and background are carried in from the known sides,
alpha is where the pixel's colour lies on the line between both, and a colour guided filter brings
it onto the picture's edges. The mixture's projection is that of Chuang et al., "A Bayesian Approach
to Digital Matting", CVPR 2001, equation 5; filling the holes from coarse to fine is the pull-push
of Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.imaging import guided
from packshot.imaging.grid import Bytes, Floats

#: The middle value of a trimap; whatever lies strictly between the ends counts as unknown.
UNKNOWN = 128
#: Radius of the last guided filter, in pixels: hair is thinner, so it cannot be blurred away.
RADIUS = 4
#: Contrast (squared, guide in [0, 1]) below which that filter follows no edge.
EPS = 1e-4
#: Squared distance of two colours, channels in [0, 255], below which they cannot be told apart.
ALIKE = 12.0**2
#: Difference of colours, as a share of their largest, above which a soft pixel is contaminated.
HALO_SHARE = 0.25

_Mask = NDArray[np.bool_]


def resolve(rgb: Bytes, alpha: Floats, trimap: Bytes) -> Floats:
    """Solve alpha anew where the trimap says "unknown"; the rest of the trimap is taken as said.

    Args:
        rgb: uint8, H x W x 3.
        alpha: float32, H x W, in [0, 1]: the matte so far; it decides where no colour can.
        trimap: uint8, H x W: 0 background, 255 subject, anything else unknown.

    Returns:
        float32, H x W, in [0, 1]. Known pixels are exactly 0 or 1.
    """
    subject, background = trimap == 255, trimap == 0
    unknown = ~(subject | background)
    known: Floats = subject.astype(np.float32)
    if not unknown.any():
        return known
    if not subject.any() or not background.any():
        # One side alone says nothing about the mixture: keep what was there.
        return np.where(unknown, alpha, known).astype(np.float32, copy=False)
    share, trust = _project(rgb, _spread(rgb, subject), _spread(rgb, background))
    guess = np.where(unknown, trust * share + (1 - trust) * alpha, known).astype(np.float32)
    smooth = guided.apply(guided.fit(rgb, guess, radius=RADIUS, eps=EPS).lines, rgb)
    solved = np.where(unknown, np.clip(smooth, 0, 1), known)
    return solved.astype(np.float32)


def trimap(alpha: Floats, unknown: _Mask, *, sure: float = 0.02) -> Bytes:
    """The trimap of a matte in which some pixels shall be looked at again.

    Args:
        alpha: float32, H x W, in [0, 1].
        unknown: bool, H x W: the pixels to solve; soft pixels outside stay soft, as "unknown"
            would move them, and count on neither side.
        sure: how near to 0 or 1 a pixel must be to count as known.

    Returns:
        uint8, H x W, of 0, 128 and 255.
    """
    result = np.full(alpha.shape, UNKNOWN, np.uint8)
    result[alpha <= sure] = 0
    result[alpha >= 1 - sure] = 255
    result[unknown] = UNKNOWN
    return result


def recompute(rgb: Bytes, alpha: Floats, unknown: _Mask) -> Floats:
    """Alpha with the pixels of `unknown` solved anew and every other pixel untouched.

    Args and result as in `resolve`; the work is done in the box around `unknown` and a margin from
    which the colours of both sides come.
    """
    box = _box(unknown)
    if box is None:
        return alpha.copy()
    part = alpha[box]
    solved = resolve(
        np.ascontiguousarray(rgb[box]),
        np.ascontiguousarray(part),
        trimap(part, unknown[box]),
    )
    result = alpha.copy()
    result[box] = np.where(unknown[box], solved, part)
    return result


def halo(rgb: Bytes, alpha: Floats, clean: Bytes) -> _Mask:
    """Where the old background shines through: soft pixels that cleaning changed a lot.

    Args:
        rgb: uint8, H x W x 3.
        alpha: float32, H x W, in [0, 1].
        clean: uint8, H x W x 3: the subject's own colours, from `foreground.decontaminate`.
    """
    soft = (alpha > 0.05) & (alpha < 0.95)
    change = np.abs(rgb.astype(np.int16) - clean.astype(np.int16)).max(axis=2)
    return np.asarray(soft & (change > HALO_SHARE * 255))


def leaks(alpha: Floats, *, share: float = 0.02) -> _Mask:
    """Islands of the matte away from the subject, and holes inside it: H x W, bool.

    A part counts as a leak when it has less than `share` of the area of the largest part.
    """
    inside = (alpha > 0.1).astype(np.uint8)
    outside = (alpha < 0.9).astype(np.uint8)
    return _small_parts(inside, share) | _small_parts(outside, share)


def _project(rgb: Bytes, subject: Floats, background: Floats) -> tuple[Floats, Floats]:
    """Where a colour lies on the line from background to subject, and how far to believe it."""
    line = subject - background
    length = np.einsum("ijk,ijk->ij", line, line)
    along = np.einsum("ijk,ijk->ij", rgb.astype(np.float32) - background, line)
    share = np.clip(along / np.maximum(length, 1e-3), 0, 1)
    return share.astype(np.float32), (length / (length + ALIKE)).astype(np.float32)


def _spread(rgb: Bytes, known: _Mask) -> Floats:
    """Colours of the known pixels carried into all others: float32, H x W x 3, in [0, 255]."""
    weight = known.astype(np.float32)
    return _pull_push(rgb.astype(np.float32) * weight[..., None], weight)


def _pull_push(values: Floats, weight: Floats) -> Floats:
    """Fill where the weight is 0 with the mean of what lies near; `values` are weighted already."""
    height, width = weight.shape
    if min(height, width) > 1:
        half = (-(-width // 2), -(-height // 2))
        small = cv2.resize(values, half, interpolation=cv2.INTER_AREA).reshape(half[1], half[0], 3)
        mass = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
        coarse = _pull_push(small.astype(np.float32), mass.astype(np.float32))
        below = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        total = max(float(weight.sum()), 1e-6)
        below = np.broadcast_to(values.sum(axis=(0, 1)) / total, values.shape)
    own = np.minimum(weight, 1.0)[..., None]
    mean = values / np.maximum(weight, 1e-6)[..., None]
    return (own * mean + (1 - own) * below).astype(np.float32)


def _box(mask: _Mask) -> tuple[slice, slice] | None:
    """The rectangle around the pixels of a mask with as much again on every side."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    tall, wide = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    margin = max(16, int(max(tall, wide)) // 2)
    return (
        slice(max(0, int(rows[0]) - margin), min(mask.shape[0], int(rows[-1]) + margin + 1)),
        slice(max(0, int(columns[0]) - margin), min(mask.shape[1], int(columns[-1]) + margin + 1)),
    )


def _small_parts(mask: Bytes, share: float) -> _Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count <= 2:
        return np.zeros(mask.shape, np.bool_)
    areas = stats[:, cv2.CC_STAT_AREA]
    areas[0] = 0
    small = areas < share * areas.max()
    small[0] = False
    return np.asarray(small[labels])
