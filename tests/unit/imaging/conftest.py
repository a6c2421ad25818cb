"""A small generator of ordinary and nasty pictures; nothing is read from disk."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

Rgb = NDArray[np.uint8]


@pytest.fixture
def photo() -> Callable[..., Rgb]:
    """A smooth picture whose four corners all differ: red, green, blue and white clockwise."""

    def make(height: int = 48, width: int = 64) -> Rgb:
        corners = np.array([[(220, 30, 30), (30, 200, 30)], [(240, 240, 240), (30, 30, 220)]])
        down = np.linspace(0, 1, height)[:, None, None]
        across = np.linspace(0, 1, width)[None, :, None]
        top = corners[0, 0] * (1 - across) + corners[0, 1] * across
        bottom = corners[1, 0] * (1 - across) + corners[1, 1] * across
        picture: Rgb = np.rint(top * (1 - down) + bottom * down).astype(np.uint8)
        return picture

    return make


@pytest.fixture
def save() -> Callable[..., bytes]:
    """Encode a Pillow image or an array with Pillow; "heic" with pillow-heif."""

    def make(picture: Image.Image | Rgb, kind: str, **options: Any) -> bytes:
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        target = BytesIO()
        if kind == "heic":
            pillow_heif.from_pillow(image).save(target, quality=90, **options)
        else:
            image.save(target, format=kind.upper(), **options)
        return target.getvalue()

    return make


@pytest.fixture
def png_header() -> Callable[[int, int], bytes]:
    """A PNG that claims a size and holds next to nothing: a decompression bomb's outside."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    def make(width: int, height: int) -> bytes:
        head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        rows = zlib.compress(b"\0" * 100_000)
        return (
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
        )

    return make


@pytest.fixture
def exif() -> Callable[..., bytes]:
    """An EXIF block with an orientation and a GPS pointer, in either byte order."""

    def make(orientation: int, order: str = ">") -> bytes:
        mark = b"MM\0*" if order == ">" else b"II*\0"
        entries = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
        entries += struct.pack(order + "HHII", 0x8825, 4, 1, 38)
        gps = struct.pack(order + "H", 1) + struct.pack(order + "HHI4s", 1, 2, 2, b"N\0\0\0")
        directory = struct.pack(order + "H", 2) + entries + struct.pack(order + "I", 0)
        return b"Exif\0\0" + mark + struct.pack(order + "I", 8) + directory + gps + b"\0" * 4

    return make


@pytest.fixture
def srgb_profile() -> bytes:
    """The ICC profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def swapped_profile(srgb_profile: bytes) -> bytes:
    """A valid profile in which red and blue have changed places: its effect cannot be missed."""
    return (
        srgb_profile.replace(b"rXYZ", b"????", 1)
        .replace(b"bXYZ", b"rXYZ", 1)
        .replace(b"????", b"bXYZ", 1)
    )


@pytest.fixture
def cutout() -> Callable[..., Rgb]:
    """A straight RGBA cut-out: a soft ellipse of one colour, another colour where invisible."""

    def make(
        height: int = 200,
        width: int = 300,
        box: tuple[int, int, int, int] = (40, 30, 160, 170),
        colour: tuple[int, int, int] = (200, 40, 40),
        hidden: tuple[int, int, int] = (0, 255, 0),
    ) -> Rgb:
        left, top, right, bottom = box
        y, x = np.mgrid[:height, :width] + 0.5
        radius = np.hypot(
            (x - (left + right) / 2) / ((right - left) / 2),
            (y - (top + bottom) / 2) / ((bottom - top) / 2),
        )
        alpha = np.clip((1 - radius) * min(right - left, bottom - top) / 4, 0, 1)
        picture = np.empty((height, width, 4), np.uint8)
        picture[..., :3] = np.where(alpha[..., None] > 0, colour, hidden)
        picture[..., 3] = np.rint(alpha * 255)
        return picture

    return make
