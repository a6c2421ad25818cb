"""Photos that are none, too large, broken or odd: bytes made here, nothing is read from disk."""

import io
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

#: Sides of a photo that claims more than any memory holds, pixels.
BOMB_SIDE = 60_000


def pixels(seed: int, height: int = 96, width: int = 128) -> NDArray[np.uint8]:
    """Coarse noise: sharp, well exposed, and another picture for each seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return np.ascontiguousarray(coarse.repeat(8, 0).repeat(8, 1))


def save(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Encode with Pillow."""
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def photo(seed: int, kind: str = "JPEG", **options: Any) -> bytes:
    """A good photo."""
    return save(Image.fromarray(pixels(seed)), kind, **options)


def dot() -> bytes:
    """One pixel."""
    return save(Image.new("RGB", (1, 1)), "PNG")


def animation(seed: int, kind: str) -> bytes:
    """Three frames."""
    frames = [Image.fromarray(pixels(seed + number)) for number in range(3)]
    return save(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, loop=0)


def heic(seed: int) -> bytes:
    """As a telephone takes it."""
    target = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels(seed))).save(target, quality=90)
    return target.getvalue()


def cmyk(seed: int) -> bytes:
    """A photo for print."""
    return save(Image.fromarray(pixels(seed)).convert("CMYK"), "JPEG")


def deep(seed: int, kind: str) -> bytes:
    """16 bits of grey."""
    grey = pixels(seed)[..., 0].astype(np.uint16) * 257
    return save(Image.fromarray(grey), kind)


def palette_with_alpha(seed: int) -> bytes:
    """64 colours, one of which is transparent."""
    return save(Image.fromarray(pixels(seed)).quantize(64), "PNG", transparency=3)


def exif_garbage(seed: int) -> bytes:
    """A JPEG whose EXIF block points outside of itself."""
    block = b"Exif\0\0MM\0*\xff\xff\xff\xff" + bytes(range(200))
    data = photo(seed)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]


def cut_off(data: bytes) -> bytes:
    """The first two thirds."""
    return data[: len(data) * 2 // 3]


def scratched(data: bytes) -> bytes:
    """The same length, with the middle overwritten."""
    start, end = len(data) // 3, len(data) // 2
    return data[:start] + b"\xa5" * (end - start) + data[end:]


def png_bomb(side: int = BOMB_SIDE) -> bytes:
    """A PNG of `side` x `side` pixels in a few kilobytes: zeros that were packed well."""
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1 + side // 8) * 1000, 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    )


def gif_bomb(side: int = BOMB_SIDE) -> bytes:
    """A GIF whose screen is huge and whose only frame is not."""
    data = bytearray(photo(1, "GIF"))
    data[6:10] = struct.pack("<HH", side, side)
    return bytes(data)


def jpeg_bomb(side: int = BOMB_SIDE) -> bytes:
    """A JPEG whose frame header claims `side` x `side` pixels."""
    data = bytearray(photo(2))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", side, side)
    return bytes(data)


def bmp_bomb(side: int = BOMB_SIDE) -> bytes:
    """A BMP that claims `side` x `side` pixels."""
    data = bytearray(photo(3, "BMP"))
    data[18:26] = struct.pack("<ii", side, side)
    return bytes(data)


def tiff_bomb(side: int = BOMB_SIDE) -> bytes:
    """A TIFF that claims `side` x `side` pixels."""
    data = bytearray(photo(4, "TIFF"))
    (at,) = struct.unpack_from("<I", data, 4)
    for entry in range(at + 2, at + 2 + 12 * struct.unpack_from("<H", data, at)[0], 12):
        if struct.unpack_from("<H", data, entry)[0] in {256, 257}:
            struct.pack_into("<HII", data, entry + 2, 4, 1, side)
    return bytes(data)


def archive(seed: int) -> bytes:
    """A ZIP archive with a photo in it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        file.writestr("photo.jpg", photo(seed))
    return target.getvalue()
