"""The formats that decode, and how far a picture may come back from what was saved."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray


def off(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Mean absolute difference."""
    assert a.shape == b.shape
    return float(np.abs(a.astype(float) - b).mean())


FORMATS = [
    pytest.param("jpeg", {"quality": 95, "subsampling": 0}, 2.0, id="jpeg"),
    pytest.param("jpeg", {"quality": 95, "progressive": True}, 2.0, id="jpeg progressive"),
    pytest.param("png", {}, 0.0, id="png"),
    pytest.param("webp", {"lossless": True}, 0.0, id="webp lossless"),
    pytest.param("webp", {"quality": 95}, 3.0, id="webp lossy"),
    pytest.param("gif", {}, 8.0, id="gif"),
    pytest.param("bmp", {}, 0.0, id="bmp"),
    pytest.param("tiff", {}, 0.0, id="tiff"),
    pytest.param("tiff", {"compression": "tiff_lzw"}, 0.0, id="tiff lzw"),
    pytest.param("heic", {}, 3.0, id="heic"),
    pytest.param("avif", {"quality": 95}, 3.0, id="avif"),
]
