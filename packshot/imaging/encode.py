"""Arrays to files. What is written carries no metadata: no camera, no place, no profile (sRGB)."""

from io import BytesIO
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, WebPImagePlugin

from packshot.errors import CorruptImage, ImageTooLarge
from packshot.imaging.png import write_png

MEDIA_TYPES: Final = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
EXTENSIONS: Final = {"png": "png", "jpeg": "jpg", "webp": "webp"}
#: Longest side that the format can hold (pixels).
MAX_SIDE: Final = {"png": 2**31 - 1, "jpeg": 65500, "webp": 16383}

#: Full colour resolution: 4:2:0 smears coloured type and the edges of saturated packaging on white,
#: which is what these pictures are made of. It costs about a quarter more bytes.
_JPEG: Final = (
    *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    *(cv2.IMWRITE_JPEG_OPTIMIZE, 1),
)
#: WebP effort. Lossless 0: 10 times as fast as 1 for twice the bytes, still below PNG. Lossy 2: the
#: size of the usual 4 in half the time.
_WEBP_LOSSLESS_METHOD: Final = 0
_WEBP_LOSSY_METHOD: Final = 2
#: In lossless WebP "quality" is effort as well; above 20 method 0 only gets slower.
_WEBP_LOSSLESS_EFFORT: Final = 20


def encode(image: NDArray[np.uint8], format: str, quality: int) -> bytes:  # noqa: A002
    """Encode a picture.

    Args:
        image: uint8 HxWx3 (RGB) or HxWx4 (RGBA, straight).
        format: "png", "jpeg" or "webp".
        quality: 1 to 100, for JPEG and for WebP without alpha; PNG and WebP with alpha are
            lossless, so that no edge of a cut-out is smeared.

    Raises:
        ImageTooLarge: a side is longer than the format can hold.
        ValueError: a format not listed, or JPEG with alpha.
    """
    if format not in MEDIA_TYPES:
        raise ValueError(f"cannot write {format!r}, only {', '.join(MEDIA_TYPES)}")
    height, width = image.shape[:2]
    if max(height, width) > MAX_SIDE[format]:
        raise ImageTooLarge(
            f"The picture has {width:,} x {height:,} pixels, {format.upper()} holds at most "
            f"{MAX_SIDE[format]:,} a side: ask for a size, or for PNG."
        )
    has_alpha = image.shape[2] == 4
    if format == "webp":
        return _webp(image, quality, lossless=has_alpha)
    if format == "jpeg":
        if has_alpha:
            raise ValueError("JPEG has no transparency: render on a background first")
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        return _write(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality, *_JPEG))
    return write_png(image)


def encode_grey(grey: NDArray[np.uint8]) -> bytes:
    """Encode a matte (uint8 HxW) as a grey PNG."""
    return write_png(grey)


def load_grey(data: bytes) -> NDArray[np.uint8]:
    """Read what `encode_grey` wrote: uint8 HxW. Raises `CorruptImage`."""
    try:
        grey = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise CorruptImage(_BAD_MATTE) from error
    if grey is None or grey.ndim != 2 or grey.dtype != np.uint8:
        raise CorruptImage(_BAD_MATTE)
    return grey.astype(np.uint8, copy=False)


_BAD_MATTE: Final = (
    "The stored matte cannot be read: run the matting step of this job again (packshot retry)."
)


def _write(extension: str, picture: cv2.typing.MatLike, parameters: tuple[int, ...]) -> bytes:
    done, buffer = cv2.imencode(extension, picture, parameters)
    if not done:
        raise ValueError(f"OpenCV cannot write this picture as {extension}")
    return buffer.tobytes()


def _webp(image: NDArray[np.uint8], quality: int, *, lossless: bool) -> bytes:
    # OpenCV offers no effort setting for WebP and takes 20 times as long for a cut-out.
    target = BytesIO()
    Image.fromarray(image).save(
        target,
        format=WebPImagePlugin.WebPImageFile.format,
        lossless=lossless,
        quality=_WEBP_LOSSLESS_EFFORT if lossless else quality,
        method=_WEBP_LOSSLESS_METHOD if lossless else _WEBP_LOSSY_METHOD,
    )
    return target.getvalue()
