"""Smaller pictures: areas are averaged, by halves as far as there are any."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from packshot.imaging.scale import fit, halved, shrink


def noise(*shape: int) -> NDArray[np.uint8]:
    rough = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
    return cv2.GaussianBlur(rough, (0, 0), 2).astype(np.uint8)


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        pytest.param((800, 600, 3), (200, 150), id="two halves"),
        pytest.param((800, 600, 3), (320, 320), id="one half, then another area"),
        pytest.param((801, 603, 3), (100, 90), id="no half"),
        pytest.param((640, 480), (32, 32), id="grey"),
        pytest.param((64, 512), (30, 256), id="less than a half of one side"),
    ],
)
def test_it_is_the_average_of_the_areas(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    picture = noise(*shape)
    height, width = size
    small = shrink(picture, width, height)
    plain = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    assert small.shape == plain.shape
    assert small.dtype == np.uint8
    # Each half rounds once more, and to the upper level where it lies between two.
    assert np.abs(small.astype(int) - plain).max() <= 3
    assert abs(small.mean() - plain.mean()) < 0.5


@pytest.mark.parametrize(
    ("shape", "least", "ends"),
    [
        ((800, 600), (150, 200), (200, 150)),
        ((800, 600), (151, 200), (400, 300)),
        ((800, 600), (1, 1), (100, 75)),
        ((799, 600), (1, 1), (799, 600)),
        ((8, 8), (0, 0), (1, 1)),
        ((1, 1), (1, 1), (1, 1)),
    ],
)
def test_halves_end_where_there_is_none_or_the_least_is_reached(
    shape: tuple[int, int], least: tuple[int, int], ends: tuple[int, int]
) -> None:
    width, height = least
    assert halved(noise(*shape), width, height).shape == ends


def test_what_fits_is_the_same_object() -> None:
    picture = noise(40, 30, 3)
    assert shrink(picture, 30, 40) is picture
    assert fit(picture, 40) is picture
    assert fit(picture, 20).shape == (20, 15, 3)
    assert fit(noise(1, 500), 100).shape == (1, 100)
