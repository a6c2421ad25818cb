"""The photos of a bench run: the samples at one size, as a camera's files."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.imaging.decode import Limits, decode
from packshot.imaging.encode import encode
from workers import samples

#: Quality of the JPEG files, what shops upload.
QUALITY = 92


def write(folder: Path, side: int, count: int) -> list[Path]:
    """Write `count` different photos whose longer side is `side` pixels; returns their paths.

    The samples are repeated as often as needed, each time with another pixel in the corner: no two
    files are equal, so that nothing is answered from an earlier photo's result.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [scaled(path, side) for path in samples.photos()]
    paths = []
    for number in range(count):
        picture = pictures[number % len(pictures)].copy()
        picture[:8, :8] = np.array([number * 37 % 256, number * 11 % 256, number // 256], np.uint8)
        path = folder / f"photo-{number:04d}.jpg"
        path.write_bytes(encode(picture, "jpeg", QUALITY))
        paths.append(path)
    return paths


def scaled(path: Path, side: int) -> NDArray[np.uint8]:
    """Read a photo (uint8 HxWx3, RGB) and bring its longer side to `side` pixels."""
    rgb = decode(path.read_bytes(), Limits()).rgb
    factor = side / max(rgb.shape[:2])
    size = (round(rgb.shape[1] * factor), round(rgb.shape[0] * factor))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, size, interpolation=how), np.uint8)
