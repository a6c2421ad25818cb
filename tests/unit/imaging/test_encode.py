"""Encoding: what was written can be read, is lossless where promised, and says nothing else."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from packshot.errors import CorruptImage, ImageTooLarge
from packshot.imaging.decode import Limits, decode
from packshot.imaging.encode import EXTENSIONS, MEDIA_TYPES, encode, encode_grey, load_grey

Rgb = NDArray[np.uint8]


def read(data: bytes) -> Rgb:
    with Image.open(BytesIO(data)) as image:
        return np.array(image)


def test_every_format_has_a_name_and_an_extension() -> None:
    assert set(MEDIA_TYPES) == set(EXTENSIONS) == {"png", "jpeg", "webp"}


@pytest.mark.parametrize(
    ("kind", "tolerance"), [("png", 0.0), ("jpeg", 2.0), ("webp", 4.0)], ids=str
)
def test_opaque_pictures(photo: Callable[..., Rgb], kind: str, tolerance: float) -> None:
    picture = photo()
    before = picture.copy()
    back = read(encode(picture, kind, 92))
    assert np.abs(back.astype(int) - picture).mean() <= tolerance
    assert np.array_equal(picture, before)


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_cut_outs_are_lossless(cutout: Callable[..., Rgb], kind: str) -> None:
    picture = cutout()
    picture[picture[..., 3] == 0] = 0
    assert np.array_equal(read(encode(picture, kind, 1)), picture)


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_quality_decides_the_size(photo: Callable[..., Rgb], kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 50, (128, 128, 3), np.uint8)
    picture = photo(128, 128) // 2 + noise
    assert len(encode(picture, kind, 40)) < len(encode(picture, kind, 95))


def test_jpeg_keeps_the_full_colour_resolution(photo: Callable[..., Rgb]) -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, ::2] = (255, 0, 0)  # one-pixel red stripes: 4:2:0 makes them a brown surface
    back = read(encode(picture, "jpeg", 95))
    assert back[:, ::2, 0].mean() > 240
    assert back[:, 1::2, 0].mean() < 15


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_no_metadata_survives(
    photo: Callable[..., Rgb],
    save: Callable[..., bytes],
    exif: Callable[..., bytes],
    srgb_profile: bytes,
    kind: str,
) -> None:
    source = save(photo(), "jpeg", exif=exif(6), icc_profile=srgb_profile, comment=b"secret")
    data = encode(decode(source, Limits()).rgb, kind, 90)
    with Image.open(BytesIO(data)) as image:
        assert len(image.getexif()) == 0
        assert not {"exif", "icc_profile", "xmp", "comment", "gps"} & set(image.info)
    for mark in (b"Exif", b"secret", b"ICC_PROFILE", b"eXIf", b"iCCP", b"http://ns.adobe"):
        assert mark not in data


@pytest.mark.parametrize(
    ("kind", "width", "said"), [("webp", 16_384, "16,383"), ("jpeg", 65_501, "65,500")], ids=str
)
def test_what_the_format_cannot_hold(kind: str, width: int, said: str) -> None:
    with pytest.raises(ImageTooLarge, match=said):
        encode(np.zeros((1, width, 3), np.uint8), kind, 90)


def test_programming_errors_are_value_errors(cutout: Callable[..., Rgb]) -> None:
    with pytest.raises(ValueError, match="no transparency"):
        encode(cutout(), "jpeg", 90)
    with pytest.raises(ValueError, match="cannot write 'gif'"):
        encode(cutout(), "gif", 90)


def test_mattes_come_back(cutout: Callable[..., Rgb]) -> None:
    alpha = np.ascontiguousarray(cutout()[..., 3])
    assert np.array_equal(load_grey(encode_grey(alpha)), alpha)


@pytest.mark.parametrize("what", ["empty", "garbage", "coloured", "cut off"])
def test_a_matte_that_is_none(photo: Callable[..., Rgb], what: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    data = {
        "empty": b"",
        "garbage": b"not a png at all",
        "coloured": encode(photo(), "png", 90),
        "cut off": encode_grey(noise)[:2000],
    }[what]
    with pytest.raises(CorruptImage, match="matting step"):
        load_grey(data)
