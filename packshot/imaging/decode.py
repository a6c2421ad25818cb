"""From untrusted bytes to an upright sRGB array, or to a sentence that says what is wrong.

sniff -> limits on the header -> pixels -> alpha apart, colours to sRGB -> upright

Pillow's plugin classes are called directly and `Image.open` is not: that would try every format it
knows, and judge the size by a process-wide limit that is not ours.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from pillow_heif import HeifImageFile

from packshot.errors import (
    CorruptImage,
    ImageTooLarge,
    ImageTooSmall,
    PackshotError,
    UnsupportedFormat,
)
from packshot.imaging import jpeg
from packshot.imaging.colour import array_to_srgb, to_srgb
from packshot.imaging.exif import orientation, turn
from packshot.imaging.sniff import sniff

__all__ = ["Decoded", "Limits", "decode", "sniff"]

_PLUGINS: Final[dict[str, type[ImageFile.ImageFile]]] = {
    "jpeg": JpegImagePlugin.JpegImageFile,
    "png": PngImagePlugin.PngImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
    "gif": GifImagePlugin.GifImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
    "tiff": TiffImagePlugin.TiffImageFile,
    "heic": HeifImageFile,
    "avif": AvifImagePlugin.AvifImageFile,
}

#: These decoders have turned the picture already.
_TURNED: Final = frozenset({"tiff", "heic"})

#: TIFF tags that give a camera's raw file away: its first picture is only a thumbnail.
_DNG_VERSION: Final = 50706
_SUBFILE_TYPE: Final = 254


@dataclass(frozen=True, slots=True)
class Limits:
    """What a picture may cost. `max_bytes` of the file, `max_pixels` width x height, sides in px.

    100 megapixels are 300 MB as RGB, and a decoder holds them up to three times.
    """

    max_bytes: int = 50 * 1024 * 1024
    max_pixels: int = 100_000_000
    min_side: int = 16


@dataclass(frozen=True, slots=True)
class Decoded:
    """An upright picture in sRGB.

    `rgb` is uint8 HxWx3, `alpha` uint8 HxW or None for an opaque picture; colours are straight,
    not premultiplied. `format` is the one of `sniff`.
    """

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None
    format: str


def decode(data: bytes, limits: Limits) -> Decoded:
    """Decode one picture; of an animation, the first frame.

    Raises:
        ImageTooLarge: more bytes or pixels than `limits` allow; nothing was decoded.
        UnsupportedFormat: not one of the formats of `sniff`.
        CorruptImage: a known format, but empty, cut off or damaged.
        ImageTooSmall: a side is shorter than `limits.min_side`.
    """
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(
            f"The file has {len(data):,} bytes, the limit is {limits.max_bytes:,}: "
            "send a smaller or more strongly compressed one."
        )
    kind = sniff(data)
    if kind == "jpeg" and (header := jpeg.read_header(data)) is not None:
        _check_size(header.width, header.height, limits)
        rgb = jpeg.decode_fast(data, header)
        if rgb is not None:
            if header.profile and header.components == 3:
                rgb = array_to_srgb(rgb, header.profile)
            return Decoded(turn(rgb, orientation(header.exif)), None, kind)
        if not header.complete:
            raise _cut_off(data, kind)
    return _decode_with_pillow(data, kind, limits)


def _decode_with_pillow(data: bytes, kind: str, limits: Limits) -> Decoded:
    try:
        image = _PLUGINS[kind](BytesIO(data))
        _check_size(image.width, image.height, limits)
        if kind == "tiff":
            _refuse_raw(image)
        if kind == "png":
            _check_sums(data)
        image.load()
        _check_size(image.width, image.height, limits)
        colour, cover = _split(image)
        rgb = to_srgb(colour, image.info.get("icc_profile"))
        alpha = None if cover is None else np.array(cover)
    except PackshotError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise ImageTooLarge(
            f"The {kind.upper()} file claims more pixels than can be decoded: "
            "send a smaller one, or save it anew if it is small."
        ) from error
    except Exception as error:
        # Pillow's plugins raise whatever the parser of the day stumbles over.
        raise _corrupt(data, kind, error) from error
    value = 1 if kind in _TURNED else orientation(image.info.get("exif"))
    if alpha is not None and alpha.min() == 255:
        alpha = None
    return Decoded(turn(rgb, value), None if alpha is None else turn(alpha, value), kind)


def _check_size(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.max_pixels:
        raise ImageTooLarge(
            f"The picture has {width:,} x {height:,} pixels, the limit is {limits.max_pixels:,} "
            "in all: send a smaller one."
        )
    if min(width, height) < limits.min_side:
        raise ImageTooSmall(
            f"The picture is only {width} x {height} pixels, each side needs at least "
            f"{limits.min_side}: send the photo itself, not a thumbnail or a placeholder."
        )


def _refuse_raw(image: ImageFile.ImageFile) -> None:
    tags = getattr(image, "tag_v2", {})
    if _DNG_VERSION in tags or int(tags.get(_SUBFILE_TYPE, 0)) & 1:
        raise UnsupportedFormat(
            "This looks like a camera's raw file, which holds only a thumbnail that can be read: "
            "develop it and send a JPEG or TIFF."
        )


def _check_sums(data: bytes) -> None:
    """Compare the checksums of a PNG's pixels: Pillow does not, and shows damage as a pattern."""
    view, at = memoryview(data), 8
    while at + 12 <= len(data):
        size = int.from_bytes(view[at : at + 4], "big")
        end = at + 8 + size
        named = bytes(view[at + 4 : at + 8]) == b"IDAT" and end + 4 <= len(data)
        if named and crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise ValueError("wrong checksum")
        at = end + 4


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Take the colours and the alpha apart; the colours keep the mode that their profile needs."""
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_eight_bits(np.asarray(image))), None
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return rgba.convert("RGB"), rgba.getchannel("A")
    if image.mode in {"L", "RGB", "CMYK", "LAB"}:
        return image, None
    return image.convert("L" if image.mode == "1" else "RGB"), None


def _eight_bits(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale a deep grey picture to 8 bits; Pillow's own conversion clips instead."""
    values = np.nan_to_num(grey.astype(np.float32))
    if grey.dtype.kind == "f":
        top = 1.0 if values.max() <= 1.0 else 255.0
    else:
        top = 65535.0 if grey.dtype.itemsize == 2 or values.max() <= 65535 else float(2**31 - 1)
    scaled: NDArray[np.uint8] = np.rint(np.clip(values * (255.0 / top), 0, 255)).astype(np.uint8)
    return scaled


def _corrupt(data: bytes, kind: str, error: Exception) -> CorruptImage:
    if _is_cut_off(data, kind) or "truncated" in str(error).lower():
        return _cut_off(data, kind)
    return CorruptImage(
        f"The {kind.upper()} data cannot be decoded, they are damaged or of an unusual kind: "
        "open the picture, save it anew as JPEG or PNG and send that."
    )


def _is_cut_off(data: bytes, kind: str) -> bool:
    if kind == "png":
        return b"IEND" not in data[-64:]
    expected = _expected_bytes(data, kind)
    return expected is not None and len(data) < expected


def _cut_off(data: bytes, kind: str) -> CorruptImage:
    expected = _expected_bytes(data, kind)
    of = f"of {expected:,} " if expected and expected > len(data) else ""
    return CorruptImage(
        f"The {kind.upper()} file ends early, after {len(data):,} {of}bytes: "
        "it was cut off on the way, send it again."
    )


def _expected_bytes(data: bytes, kind: str) -> int | None:
    """The length that a header announces, in the formats that have one."""
    if kind == "webp":
        return 8 + int.from_bytes(data[4:8], "little")
    if kind == "bmp":
        return int.from_bytes(data[2:6], "little")
    return None
