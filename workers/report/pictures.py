"""Stored pictures made small enough to travel inside the page."""

import base64
from dataclasses import dataclass
from io import BytesIO
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, WebPImagePlugin

from packshot.errors import CorruptImage, NotFound, Rejected
from packshot.imaging.decode import Limits, decode
from packshot.imaging.scale import fit
from packshot.imaging.stored import load_rgba
from packshot.results import Box

#: Packshot has written or checked these files already: only a safety net (bytes, pixels).
_LIMITS: Final = Limits(max_bytes=2**30, max_pixels=300_000_000, min_side=1)
#: WebP qualities to try before the picture is made smaller.
_QUALITIES: Final = (82, 70)
#: WebP effort: the size of the usual 4 in half the time.
_METHOD: Final = 2
#: Factor per try when no quality makes a picture small enough.
_SHRINK: Final = 0.8
#: Below this side (pixels) a picture is taken as it comes out.
_SMALLEST: Final = 96
#: Air around the product on the contact sheet, relative to its longer side.
_AIR: Final = 0.06


class BlobReader(Protocol):
    """Where the pictures lie; `packshot.store.blobs.BlobStore` is one."""

    def get(self, key: str) -> bytes:
        """The object's bytes. Raises `NotFound`."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Longest side in pixels and most bytes of one embedded picture."""

    side: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """Budgets of the pictures of one photo."""

    photo: Budget
    cutout: Budget
    thumb: Budget
    output: Budget


#: Up to this many photos a page gets these sizes: about 450, 160 and 60 kB per photo in base64.
_SIZES: Final = (
    (
        60,
        Sizes(
            photo=Budget(1280, 150_000),
            cutout=Budget(1080, 100_000),
            thumb=Budget(320, 16_000),
            output=Budget(480, 32_000),
        ),
    ),
    (
        200,
        Sizes(
            photo=Budget(800, 60_000),
            cutout=Budget(640, 35_000),
            thumb=Budget(240, 8_000),
            output=Budget(280, 10_000),
        ),
    ),
)
_SMALL: Final = Sizes(
    photo=Budget(480, 22_000),
    cutout=Budget(400, 14_000),
    thumb=Budget(160, 4_000),
    output=Budget(160, 4_000),
)


def sizes_for(photos: int) -> Sizes:
    """How large pictures may be in a report with this many photos."""
    return next((sizes for most, sizes in _SIZES if photos <= most), _SMALL)


@dataclass(frozen=True, slots=True)
class Embedded:
    """A picture in the page: its data URI, and its size in pixels."""

    uri: str
    width: int
    height: int


def load_photo(blobs: BlobReader, key: str) -> NDArray[np.uint8] | None:
    """Read any stored picture, uint8 HxWx3 or HxWx4; None where it is gone or unreadable."""
    try:
        decoded = decode(blobs.get(key), _LIMITS)
    except (NotFound, Rejected):
        return None
    if decoded.alpha is None:
        return decoded.rgb
    return np.dstack((decoded.rgb, decoded.alpha))


def load_cutout(blobs: BlobReader, key: str) -> NDArray[np.uint8] | None:
    """Read a stored cut-out, uint8 HxWx4; None where it is gone or unreadable."""
    try:
        return load_rgba(blobs.get(key))
    except (NotFound, CorruptImage):
        return None


def embed(image: NDArray[np.uint8], budget: Budget) -> Embedded:
    """Shrink and encode a picture (uint8 HxWx3 or HxWx4) until it keeps to its budget."""
    side = budget.side
    while True:
        small = _shrink(image, side)
        for quality in _QUALITIES:
            data = _webp(small, quality)
            if len(data) <= budget.bytes:
                break
        height, width = small.shape[:2]
        if len(data) <= budget.bytes or side <= _SMALLEST:
            return Embedded(_uri(data), width, height)
        side = max(_SMALLEST, round(max(height, width) * _SHRINK))


def crop_to(image: NDArray[np.uint8], box: Box | None) -> NDArray[np.uint8]:
    """The product with a little air around it, uint8 HxWxC; the whole picture without a box."""
    if box is None:
        return image
    air = round(max(box.right - box.left, box.bottom - box.top) * _AIR)
    return image[max(0, box.top - air) : box.bottom + air, max(0, box.left - air) : box.right + air]


def _shrink(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    if image.shape[2] == 3 or max(image.shape[:2]) <= side:
        return fit(image, side)
    # Straight colours would bleed the invisible colour of transparent pixels into the edge.
    cover = np.ascontiguousarray(image[..., 3])
    weighted = cv2.multiply(
        np.ascontiguousarray(image[..., :3]), cv2.merge([cover] * 3), scale=1 / 255
    ).astype(np.uint8, copy=False)
    small, alpha = fit(weighted, side), fit(cover, side)
    colours = small.astype(np.float32) * (255 / np.maximum(alpha, 1))[..., None]
    return np.dstack((np.clip(np.rint(colours), 0, 255).astype(np.uint8), alpha))


def _webp(image: NDArray[np.uint8], quality: int) -> bytes:
    target = BytesIO()
    Image.fromarray(image).save(
        target,
        format=WebPImagePlugin.WebPImageFile.format,
        quality=quality,
        alpha_quality=quality,
        method=_METHOD,
    )
    return target.getvalue()


def _uri(data: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(data).decode()}"
