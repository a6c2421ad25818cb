"""Quality: each signal fires on what it names and stays silent on ordinary packshots."""

import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from packshot.imaging.quality import measure

Rgb = NDArray[np.uint8]


def packshot(side: int = 800, share: float = 0.6, ground: int = 255) -> Rgb:
    """A printed box on a plain ground."""
    picture = np.full((side, side, 3), ground, np.uint8)
    half = int(side * share / 2)
    low, high = side // 2 - half, side // 2 + half
    picture[low:high, low:high] = (60, 110, 160)
    step = max(half // 8, 2)
    for y in range(low + step, high - step, step):
        cv2.line(picture, (low + step, y), (high - step, y), (240, 240, 240), max(step // 5, 1))
    cv2.rectangle(picture, (low, low), (high, high), (20, 20, 20), 2)
    return picture


def codes(picture: Rgb) -> list[str]:
    return [signal.code for signal in measure(picture).signals]


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(packshot(), id="on white"),
        pytest.param(packshot(ground=0), id="on black"),
        pytest.param(packshot(share=0.15), id="small on white"),
        pytest.param(packshot(2000), id="large"),
        pytest.param(packshot()[:, 200:600], id="upright"),
    ],
)
def test_ordinary_packshots_are_fine(picture: Rgb) -> None:
    assert codes(picture) == []


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        pytest.param(cv2.GaussianBlur(packshot(), (0, 0), 12), "blurred", id="blurred"),
        pytest.param((packshot() * 0.2).astype(np.uint8), "too_dark", id="dark"),
        pytest.param((packshot() * 0.15 + 217).astype(np.uint8), "too_bright", id="bright"),
        pytest.param(packshot(300), "low_resolution", id="small"),
        pytest.param(np.full((600, 600, 3), 90, np.uint8), "blank", id="grey"),
        pytest.param(np.zeros((600, 600, 3), np.uint8), "blank", id="black"),
        pytest.param(np.full((600, 600, 3), 255, np.uint8), "blank", id="white"),
    ],
)
def test_each_signal(picture: Rgb, code: str) -> None:
    (signal,) = measure(picture).signals
    assert signal.code == code
    assert signal.message.endswith(".")
    assert signal.value is not None
    assert signal.threshold is not None


def test_noise_does_not_hide_a_blank_picture() -> None:
    noise = np.random.default_rng(0).integers(0, 3, (600, 600, 3), np.uint8)
    assert codes(noise) == ["blank"]


def test_signals_add_up() -> None:
    picture = (cv2.GaussianBlur(packshot(300), (0, 0), 9) * 0.2).astype(np.uint8)
    assert codes(picture) == ["blurred", "too_dark", "low_resolution"]


def test_the_numbers() -> None:
    picture = np.zeros((400, 500, 3), np.uint8)
    picture[:, :250] = 255
    quality = measure(picture)
    assert quality.exposure == pytest.approx(0.5, abs=0.01)
    assert quality.clipped_dark == pytest.approx(0.5, abs=0.01)
    assert quality.clipped_light == pytest.approx(0.5, abs=0.01)
    assert quality.megapixels == 0.2


@pytest.mark.parametrize("shape", [(16, 16), (16, 2000), (2000, 16), (31, 33)], ids=str)
def test_odd_shapes(photo: Callable[..., Rgb], shape: tuple[int, int]) -> None:
    assert measure(photo(*shape)).megapixels == pytest.approx(shape[0] * shape[1] / 1e6, abs=1e-3)


def test_the_picture_is_not_modified(photo: Callable[..., Rgb]) -> None:
    picture = photo(600, 800)
    before = picture.copy()
    measure(picture)
    assert np.array_equal(picture, before)


@pytest.mark.benchmark
def test_two_megapixels_take_less_than_ten_milliseconds(photo: Callable[..., Rgb]) -> None:
    picture = photo(1200, 1700)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        measure(picture)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.010
