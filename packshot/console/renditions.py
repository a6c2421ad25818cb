"""Pictures as a browser can show them: turned, small enough, in a format it knows, made once."""

import hashlib

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.errors import NotFound
from packshot.imaging.decode import Limits, decode
from packshot.imaging.encode import encode
from packshot.imaging.scale import fit
from packshot.store.blobs import VIEW_PREFIX, BlobStore

#: Longer side of each view in pixels; `full` keeps the picture's own.
SIDES = {"thumb": 320, "screen": 2048, "full": 16383}
#: Views whose bytes are delivered as they are: outputs, which a reviewer judges by the pixel.
AS_IS = "file"
#: The types that are delivered as they are, by the bytes they begin with.
_MAGIC = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))
#: Quality of the views: high, since people judge edges by them.
QUALITY = 90


class Renditions:
    """Kept in the object store, so that every console process finds them. Thread-safe.

    The sweep deletes them after some days; whoever looks again has them made again.
    """

    def __init__(self, blobs: BlobStore, limits: Limits) -> None:
        self._blobs = blobs
        self._limits = limits

    def picture(self, key: str, view: str) -> tuple[bytes, str]:
        """The bytes of a view and their media type.

        Raises `NotFound` for an unknown view or object, and what `decode` raises for one that is
        no picture.
        """
        if view == AS_IS:
            data = self._blobs.get(key)
            return data, _media_type(data)
        if view not in SIDES:
            raise NotFound(f"There is no view '{view}'.")
        kept = f"{VIEW_PREFIX}{hashlib.sha256(key.encode()).hexdigest()[:40]}-{view}"
        try:
            data = self._blobs.get(kept)
        except NotFound:
            data = self._make(self._blobs.get(key), SIDES[view])
            self._blobs.put(kept, data, _media_type(data))
        return data, _media_type(data)

    def _make(self, data: bytes, side: int) -> bytes:
        decoded = decode(data, self._limits)
        rgb = fit(decoded.rgb, side)
        if decoded.alpha is None:
            return encode(rgb, "jpeg", QUALITY)
        alpha = fit(decoded.alpha, side)
        return encode(_rgba(rgb, alpha), "webp", QUALITY)


def _rgba(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.merge([rgb, alpha]), np.uint8)


def _media_type(data: bytes) -> str:
    """By the bytes and never by a name: nothing but a picture may reach the browser as one."""
    for magic, media_type in _MAGIC:
        if data.startswith(magic):
            return media_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    raise NotFound("This object is no picture that a browser can show.")
