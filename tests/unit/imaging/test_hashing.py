"""Fingerprints: stable for the same picture, different for another."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from packshot.imaging.decode import Limits, decode
from packshot.imaging.encode import encode
from packshot.imaging.hashing import distance, phash, sha256

Rgb = NDArray[np.uint8]
#: Bits within which two hashes count as the same picture.
SAME = 8


def scene(seed: int, size: int = 256) -> Rgb:
    """Smooth random blobs: as much structure as a photo has at low frequencies."""
    small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    return np.asarray(cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_sha256_is_the_known_one() -> None:
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_hash_is_16_hex_digits() -> None:
    value = phash(scene(1))
    assert len(value) == 16
    assert int(value, 16) > 0


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda p: cv2.resize(p, (100, 100), interpolation=cv2.INTER_AREA), id="small"),
        pytest.param(lambda p: cv2.resize(p, (700, 650)), id="large and stretched"),
        pytest.param(lambda p: decode(encode(p, "jpeg", 30), Limits()).rgb, id="jpeg 30"),
        pytest.param(lambda p: cv2.convertScaleAbs(p, alpha=0.8, beta=20), id="paler"),
        pytest.param(lambda p: cv2.GaussianBlur(p, (0, 0), 3), id="blurred"),
    ],
)
def test_the_same_picture_stays_near(change: Callable[[Rgb], Rgb]) -> None:
    for seed in range(5):
        assert distance(phash(scene(seed)), phash(change(scene(seed)))) <= SAME


def test_other_pictures_are_far() -> None:
    values = [phash(scene(seed)) for seed in range(12)]
    nearest = min(distance(a, b) for i, a in enumerate(values) for b in values[:i])
    assert nearest > SAME


def test_a_flat_picture_has_a_stable_hash() -> None:
    values = {phash(np.full((40, 60, 3), grey, np.uint8)) for grey in (3, 77, 128, 254)}
    assert len(values) == 1


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_distance_is_a_metric_on_bits(a: int, b: int) -> None:
    one, two = f"{a:016x}", f"{b:016x}"
    assert distance(one, one) == 0
    assert distance(one, two) == distance(two, one) == (a ^ b).bit_count()
