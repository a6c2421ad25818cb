"""What is refused, and with which words: too large, cut off, damaged, no picture at all."""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from packshot.errors import CorruptImage, ImageTooLarge, ImageTooSmall, Rejected, UnsupportedFormat
from packshot.imaging.decode import Limits, decode, sniff
from tests.support.formats import FORMATS, off

Rgb = NDArray[np.uint8]
Photo = Callable[..., Rgb]
Save = Callable[..., bytes]

LIMITS = Limits()


def test_too_many_bytes_is_said_before_anything_is_read() -> None:
    with pytest.raises(ImageTooLarge, match=r"1,001 bytes, the limit is 1,000"):
        decode(b"x" * 1001, Limits(max_bytes=1000))


def huge(kind: str, photo: Photo, save: Save) -> bytes:
    """A small file whose header claims 60,000 x 60,000 pixels (or what the format can hold)."""
    data = bytearray(save(photo(), kind))
    if kind == "jpeg":
        at = data.index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", 60_000, 60_000)
    elif kind == "gif":
        data[6:10] = struct.pack("<HH", 60_000, 60_000)
    elif kind == "bmp":
        data[18:26] = struct.pack("<ii", 60_000, 60_000)
    elif kind == "webp":
        at = data.index(b"\x9d\x01\x2a")
        data[at + 3 : at + 7] = struct.pack("<HH", 16_383, 16_383)
    elif kind == "tiff":
        for tag in (256, 257):
            at = data.index(struct.pack("<H", tag))
            data[at : at + 12] = struct.pack("<HHII", tag, 4, 1, 60_000)
    return bytes(data)


@pytest.mark.parametrize("kind", ["jpeg", "gif", "bmp", "webp", "tiff"])
def test_a_size_that_only_the_header_claims(photo: Photo, save: Save, kind: str) -> None:
    with pytest.raises(ImageTooLarge, match="pixels"):
        decode(huge(kind, photo, save), LIMITS)


def test_a_png_bomb_costs_nothing(png_header: Callable[[int, int], bytes]) -> None:
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(ImageTooLarge, match="60,000 x 60,000 pixels, the limit is 100,000,000"):
        decode(png_header(60_000, 60_000), LIMITS)
    assert before == Image.MAX_IMAGE_PIXELS


def test_our_limit_counts_and_not_pillows(png_header: Callable[[int, int], bytes]) -> None:
    # 95 megapixels: Pillow would warn, and warnings are errors in this run. The file ends early.
    with pytest.raises(CorruptImage):
        decode(png_header(10_000, 9_500), LIMITS)


def test_a_frame_larger_than_its_canvas(save: Save) -> None:
    data = bytearray(save(Image.new("P", (32, 32)), "gif"))
    at = data.index(b"\x2c\0\0\0\0\x20\0\x20\0")
    data[at + 5 : at + 9] = struct.pack("<HH", 65_000, 65_000)
    with pytest.raises(ImageTooLarge):
        decode(bytes(data), LIMITS)


def test_heic_and_avif_obey_the_pixel_limit(photo: Photo, save: Save) -> None:
    for kind in ("heic", "avif", "png", "jpeg"):
        with pytest.raises(ImageTooLarge, match="64 x 48 pixels, the limit is 3,000"):
            decode(save(photo(), kind), Limits(max_pixels=3000))


def test_a_tracking_pixel_is_no_photo(save: Save) -> None:
    with pytest.raises(ImageTooSmall, match="only 1 x 1 pixels"):
        decode(save(Image.new("RGB", (1, 1)), "gif"), LIMITS)


# --- damaged


def test_an_empty_file() -> None:
    with pytest.raises(CorruptImage, match="empty"):
        decode(b"", LIMITS)


def test_a_file_of_zero_bytes() -> None:
    with pytest.raises(CorruptImage, match="nothing but 4,096 zero bytes"):
        decode(b"\0" * 4096, LIMITS)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(("kind", "options", "tolerance"), FORMATS)
def test_cut_off_files_are_refused(
    photo: Photo, save: Save, kind: str, options: dict[str, Any], tolerance: float, part: float
) -> None:
    noise = np.random.default_rng(1).integers(0, 60, (128, 160, 3), np.uint8)
    data = save(photo(128, 160) // 2 + noise, kind, **options)
    with pytest.raises(CorruptImage, match=r"ends early|cannot be decoded"):
        decode(data[: int(len(data) * part)], LIMITS)


def test_the_sentence_counts(photo: Photo, save: Save) -> None:
    data = save(photo(200, 200), "bmp")
    with pytest.raises(CorruptImage, match=r"after 60,000 of 120,054 bytes.*send it again"):
        decode(data[:60_000], LIMITS)


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_photo(photo: Photo, save: Save) -> None:
    thumbnail = save(photo(16, 16), "jpeg")
    data = save(photo(200, 200), "jpeg", exif=b"Exif\0\0" + thumbnail)
    assert decode(data, LIMITS).rgb.shape == (200, 200, 3)
    with pytest.raises(CorruptImage, match="ends early"):
        decode(data[:-20], LIMITS)


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param(b"\xff\xff\xff\xff", id="fill bytes"),
        pytest.param(b"\xff\x01", id="stand-alone marker"),
        pytest.param(b"\xff\xfe\x00\x06" + b"\xff\xd9\xff\xd9", id="end marker in a comment"),
        pytest.param(b"\xff\xe2\x00\x0fICC_PROFILE\0\x01", id="profile without a count"),
        pytest.param(b"\xff\xe2\x00\x11ICC_PROFILE\0\x01\x02x", id="half a profile"),
    ],
)
def test_odd_but_whole_jpegs(photo: Photo, save: Save, extra: bytes) -> None:
    data = save(photo(), "jpeg", quality=95)
    assert off(decode(data[:2] + extra + data[2:], LIMITS).rgb, photo()) <= 3


def test_junk_between_segments_is_left_to_pillow(photo: Photo, save: Save) -> None:
    data = save(photo(), "jpeg", quality=95)
    at = data.index(b"\xff\xdb")
    assert off(decode(data[:at] + b"\0\0" + data[at:], LIMITS).rgb, photo()) <= 3


def test_bytes_after_the_end_do_no_harm(photo: Photo, save: Save) -> None:
    data = save(photo(), "jpeg") + b"trailer" * 100
    assert decode(data, LIMITS).rgb.shape == (48, 64, 3)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "bmp", "tiff", "heic", "avif"])
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12))
def test_damage_is_survived_or_named(
    photo: Photo, save: Save, kind: str, changes: list[tuple[float, int]]
) -> None:
    data = bytearray(save(photo(), kind))
    for where, value in changes:
        data[int(where * (len(data) - 1))] = value
    try:
        decoded = decode(bytes(data), Limits(max_pixels=1_000_000))
    except Rejected as error:
        assert str(error).endswith(".")
    else:
        assert decoded.rgb.ndim == 3


# --- something else


@pytest.mark.parametrize(
    ("data", "what"),
    [
        pytest.param(b"%PDF-1.7\n", "PDF", id="pdf"),
        pytest.param(b"<!DOCTYPE html><html>404</html>", "HTML page", id="html"),
        pytest.param(b"\xef\xbb\xbf\n <HTML><body>", "HTML page", id="html with bom"),
        pytest.param(b'<?xml version="1.0"?><svg xmlns="x"/>', "SVG", id="svg"),
        pytest.param(b"<Error><Code>AccessDenied</Code></Error>", "XML", id="s3 error"),
        pytest.param(b'{"error": "not found"}', "JSON", id="json"),
        pytest.param(b"Not found\n", "plain text", id="text"),
        pytest.param(b"iVBORw0KGgoAAAANSUhEUg", "base64", id="base64 png"),
        pytest.param(b"/9j/4AAQSkZJRgABAQ", "base64", id="base64 jpeg"),
        pytest.param(b"PK\x03\x04rest", "ZIP", id="zip"),
        pytest.param(b"8BPS\0\x01", "Photoshop", id="psd"),
        pytest.param(b"\0\0\0\x20ftypisom\0\0\0\0isommp42", "video", id="mp4"),
        pytest.param(b"RIFF\0\0\0\0AVI LIST", "video", id="avi"),
        pytest.param(b"\xff\x0a\xfa\x1f", "JPEG XL", id="jxl"),
        pytest.param(b"BMW is a car maker, not a picture", "plain text", id="text with BM"),
        pytest.param(b"\x13\x37\x00\x01\x02", "unknown kind", id="binary"),
    ],
)
def test_what_is_no_picture_is_named(data: bytes, what: str) -> None:
    with pytest.raises(UnsupportedFormat, match=what):
        decode(data, LIMITS)


def test_a_raw_files_thumbnail_is_not_the_photo(photo: Photo, save: Save) -> None:
    with pytest.raises(UnsupportedFormat, match="raw"):
        decode(save(photo(), "tiff", tiffinfo={254: 1}), LIMITS)


@pytest.mark.parametrize(
    ("brands", "kind"),
    [
        pytest.param(b"mif1\0\0\0\0mif1heic", "heic", id="generic heic"),
        pytest.param(b"mif1\0\0\0\0mif1avif", "avif", id="generic avif"),
        pytest.param(b"avis\0\0\0\0avismsf1", "avif", id="avif sequence"),
        pytest.param(b"msf1\0\0\0\0hevc", "heic", id="heic sequence"),
    ],
)
def test_brands(brands: bytes, kind: str) -> None:
    assert sniff(struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands) == kind


# --- flattening
