"""The headers of a JPEG file, read without decoding it, and the fast way to its pixels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

#: Start-of-frame markers of the Huffman-coded sequential and progressive processes (ITU-T T.81).
_COMMON_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = b"\xff\xd9"
_EXIF: Final = b"Exif\0\0"
_ICC: Final = b"ICC_PROFILE\0"


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """What stands before the pixels. `complete` says whether the end marker is there."""

    width: int
    height: int
    components: int
    common: bool  # 8 bits, sequential or progressive: what every decoder reads alike
    exif: bytes | None
    profile: bytes | None
    complete: bool


def read_header(data: bytes) -> JpegHeader | None:
    """Walk the segments up to the first scan; None where they are not in order."""
    frame: tuple[int, bytes] | None = None
    exif: bytes | None = None
    chunks: list[bytes] = []
    for marker, start, end in _segments(data):
        if marker == _START_OF_SCAN:
            break
        if marker in _FRAMES:
            frame = frame or (marker, data[start : start + 6])
        elif marker == 0xE1 and exif is None and data[start : start + 6] == _EXIF:
            exif = data[start + 6 : end]
        elif marker == 0xE2 and data[start : start + 12] == _ICC:
            chunks.append(data[start + 12 : end])
    else:
        return None
    if frame is None or len(frame[1]) < 6:
        return None
    head = frame[1]
    return JpegHeader(
        width=int.from_bytes(head[3:5], "big"),
        height=int.from_bytes(head[1:3], "big"),
        components=head[5],
        common=frame[0] in _COMMON_FRAMES and head[0] == 8,
        exif=exif,
        profile=_join(chunks),
        # Inside entropy-coded data 0xFF is always escaped, so this cannot be found by accident;
        # searching after the scan's start skips the end marker of an embedded thumbnail.
        complete=data.find(_END_OF_IMAGE, end) >= 0,
    )


def decode_fast(data: bytes, header: JpegHeader) -> NDArray[np.uint8] | None:
    """Decode to RGB with OpenCV (about twice as fast as Pillow); None where it does not apply.

    OpenCV fills what is missing with grey and says nothing, hence the demand for an end marker.
    """
    if not (header.common and header.complete and header.components in {1, 3}):
        return None
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        rgb = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None
    if rgb is None or rgb.shape != (header.height, header.width, 3):
        return None
    return rgb.astype(np.uint8, copy=False)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start, end) of each segment's payload."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:  # stand-alone markers have no length
            at += 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end < at + 4 or end > len(data):
            return
        yield marker, at + 4, end
        at = end


def _join(chunks: list[bytes]) -> bytes | None:
    """Put an ICC profile together: each chunk begins with its number (from 1) and the count."""
    if not chunks or any(len(chunk) < 2 for chunk in chunks):
        return None
    ordered = sorted(chunks, key=lambda chunk: chunk[0])
    if [chunk[0] for chunk in ordered] != list(range(1, ordered[0][1] + 1)):
        return None
    return b"".join(chunk[2:] for chunk in ordered)
