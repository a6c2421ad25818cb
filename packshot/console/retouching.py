"""What the matte editor asks the server for: keep, compute anew, point out faults."""

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.errors import InvalidDecision, NotFound
from packshot.imaging import retouch
from packshot.imaging.decode import Limits, decode
from packshot.imaging.encode import encode, encode_grey
from packshot.imaging.foreground import decontaminate
from packshot.imaging.grid import Floats
from packshot.imaging.hashing import sha256
from packshot.imaging.naming import work_key
from packshot.results import Prepared
from packshot.store.blobs import BlobStore
from packshot.store.tickets import Artifact

#: Name of the artifact that a person's matte is kept under.
ARTIFACT = "matte_edit"
#: Longest side of a picture from the editor in pixels: a working image has no longer one.
MAX_SIDE = 8192

_Pixels = NDArray[np.uint8]


class Retouching:
    """One photo's matte in a person's hands."""

    def __init__(self, blobs: BlobStore, limits: Limits, photo: Prepared) -> None:
        self._blobs = blobs
        self._limits = limits
        self._photo = photo

    def keep(self, png: bytes) -> Artifact:
        """Store a whole alpha matte under the name of its content.

        Raises `InvalidDecision` for one that has not the photo's size, and what `decode` raises
        for bytes that are no picture.
        """
        alpha = self._read(png)[..., 0]
        if alpha.shape != (self._photo.height, self._photo.width):
            raise InvalidDecision("The matte has not the size of its photo: load the page again.")
        data = encode_grey(alpha)
        digest = sha256(data)
        key = work_key(self._photo.sha256, f"edit-{digest[:32]}.png")
        self._blobs.put(key, data, "image/png")
        return Artifact(ARTIFACT, key, "image/png", len(data), digest)

    def recompute(self, png: bytes, left: int, top: int) -> bytes:
        """Solve a part of the matte anew.

        Args:
            png: the part: red is alpha, green 255 where it shall be solved.
            left: x of the part in the photo, pixels.
            top: y of the part in the photo, pixels.

        Returns:
            the part's new alpha as a grey PNG.
        """
        part = self._read(png)
        height, width = part.shape[:2]
        rgb = self._rgb()[top : top + height, left : left + width]
        if rgb.shape[:2] != (height, width):
            raise InvalidDecision("This part of the matte lies outside the photo.")
        alpha = _unit(part)
        solved = retouch.recompute(np.ascontiguousarray(rgb), alpha, part[..., 1] > 127)
        return encode_grey(np.rint(solved * 255).astype(np.uint8))

    def faults(self, png: bytes) -> bytes:
        """Point out what looks wrong in a matte that was shrunk to any size.

        Returns:
            a PNG of that size: red where the old background shines through, green where the matte
            has islands or holes.
        """
        part = self._read(png)
        alpha, matte = _unit(part), np.ascontiguousarray(part[..., 0])
        height, width = alpha.shape
        small = cv2.resize(self._rgb(), (width, height), interpolation=cv2.INTER_AREA)
        rgb = np.asarray(small, np.uint8)
        halo = retouch.halo(rgb, alpha, decontaminate(rgb, matte))
        marks = np.zeros((height, width, 3), np.uint8)
        marks[..., 0] = halo * np.uint8(255)
        marks[..., 1] = retouch.leaks(alpha) * np.uint8(255)
        return encode(marks, "png", 100)

    def _read(self, png: bytes) -> _Pixels:
        if not png.startswith(b"\x89PNG"):
            raise NotFound("The editor sends PNG.")
        rgb = decode(png, Limits(self._limits.max_bytes, MAX_SIDE**2, 1)).rgb
        return np.asarray(rgb, np.uint8)

    def _rgb(self) -> _Pixels:
        return decode(self._blobs.get(self._photo.work_key), self._limits).rgb


def _unit(part: _Pixels) -> Floats:
    """The red channel in [0, 1]: float32, H x W."""
    return np.multiply(part[..., 0], 1 / 255, dtype=np.float32)
