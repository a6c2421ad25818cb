"""Decoding: every format, every mode, and everything that people send by mistake."""

import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from packshot.errors import CorruptImage, ImageTooLarge, ImageTooSmall, Rejected, UnsupportedFormat
from packshot.imaging.colour import flatten
from packshot.imaging.decode import Limits, decode, sniff

Rgb = NDArray[np.uint8]
Photo = Callable[..., Rgb]
Save = Callable[..., bytes]

LIMITS = Limits()


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


@pytest.mark.parametrize(("kind", "options", "tolerance"), FORMATS)
def test_every_format_comes_back(
    photo: Photo, save: Save, kind: str, options: dict[str, Any], tolerance: float
) -> None:
    picture = photo()
    data = save(picture, kind, **options)
    decoded = decode(data, LIMITS)
    assert decoded.format == kind == sniff(data)
    assert decoded.rgb.dtype == np.uint8
    assert decoded.alpha is None
    assert off(decoded.rgb, picture) <= tolerance


def test_the_result_may_be_written_to(photo: Photo, save: Save) -> None:
    for kind in ("jpeg", "png"):
        decode(save(photo(), kind), LIMITS).rgb[0, 0] = 1


# --- modes


def grey_ramp() -> NDArray[np.uint16]:
    return np.linspace(0, 65535, 64 * 32).reshape(32, 64).astype(np.uint16)


def deep_png() -> bytes:
    return cv2.imencode(".png", np.dstack([grey_ramp()] * 3))[1].tobytes()


def test_sixteen_bits_are_scaled_and_not_clipped(save: Save) -> None:
    ramp = grey_ramp()
    expected = np.repeat(np.rint(ramp / 257)[..., None], 3, axis=2)
    grey = Image.fromarray(ramp)
    for data in (save(grey, "png"), save(grey, "tiff"), deep_png()):
        assert off(decode(data, LIMITS).rgb, expected) <= 0.51


def test_floating_point_tiff(save: Save) -> None:
    ramp = np.linspace(0, 1, 64 * 32).reshape(32, 64).astype(np.float32)
    ramp[0, 0] = np.nan
    decoded = decode(save(Image.fromarray(ramp), "tiff"), LIMITS)
    assert (decoded.rgb.min(), decoded.rgb.max()) == (0, 255)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        pytest.param("1", "png", id="bilevel"),
        pytest.param("L", "png", id="grey png"),
        pytest.param("L", "jpeg", id="grey jpeg"),
        pytest.param("P", "png", id="palette"),
        pytest.param("CMYK", "jpeg", id="cmyk jpeg"),
        pytest.param("CMYK", "tiff", id="cmyk tiff"),
    ],
)
def test_opaque_modes(photo: Photo, save: Save, mode: str, kind: str) -> None:
    image = Image.fromarray(photo()).convert(mode)
    decoded = decode(save(image, kind), LIMITS)
    assert decoded.alpha is None
    assert off(decoded.rgb, np.asarray(image.convert("RGB"))) <= 3


@pytest.mark.parametrize("profile", [None, b"not a profile"], ids=["bare", "broken profile"])
def test_lab_tiff(save: Save, profile: bytes | None) -> None:
    lab = Image.merge("LAB", [Image.new("L", (32, 32), value) for value in (255, 128, 128)])
    decoded = decode(save(lab, "tiff", icc_profile=profile), LIMITS)
    assert decoded.rgb.min() >= 253  # L = 100: white


def test_grey_with_alpha(photo: Photo, save: Save) -> None:
    image = Image.fromarray(photo()).convert("LA")
    image.putalpha(Image.linear_gradient("L").crop((0, 208, 64, 256)))
    decoded = decode(save(image, "png"), LIMITS)
    assert decoded.alpha is not None
    assert decoded.alpha.shape == decoded.rgb.shape[:2]
    assert (decoded.alpha[0, 0], decoded.alpha[47, 0]) == (208, 255)


@pytest.mark.parametrize("kind", ["png", "webp", "tiff", "avif", "heic"])
def test_alpha_is_taken_apart(photo: Photo, save: Save, kind: str) -> None:
    alpha = np.full((48, 64), 255, np.uint8)
    alpha[:, :20] = 0
    decoded = decode(save(np.dstack([photo(), alpha]), kind), LIMITS)
    assert decoded.alpha is not None
    assert off(decoded.alpha, alpha) <= 3
    assert off(decoded.rgb[:, 24:], photo()[:, 24:]) <= 3


def test_alpha_that_hides_nothing_is_dropped(photo: Photo, save: Save) -> None:
    opaque = np.dstack([photo(), np.full((48, 64), 255, np.uint8)])
    assert decode(save(opaque, "png"), LIMITS).alpha is None


@pytest.mark.parametrize(
    "transparency", [pytest.param(0, id="index"), pytest.param(bytes([0, 128]), id="table")]
)
def test_palette_with_transparency(save: Save, transparency: int | bytes) -> None:
    image = Image.new("P", (32, 32), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(0, (0, 0, 16, 32))
    decoded = decode(save(image, "png", transparency=transparency), LIMITS)
    assert decoded.alpha is not None
    assert decoded.alpha[0, 0] == 0
    assert decoded.alpha[0, 31] == (255 if transparency == 0 else 128)
    assert tuple(decoded.rgb[0, 31]) == (0, 0, 255)


def test_one_colour_named_transparent(save: Save) -> None:
    image = Image.new("RGB", (32, 32), (1, 2, 3))
    image.paste((9, 9, 9), (16, 0, 32, 32))
    decoded = decode(save(image, "png", transparency=(1, 2, 3)), LIMITS)
    assert decoded.alpha is not None
    assert (decoded.alpha[0, 0], decoded.alpha[0, 31]) == (0, 255)


@pytest.mark.parametrize("kind", ["gif", "webp", "png", "tiff"])
def test_the_first_frame_of_many(save: Save, kind: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "lime", "blue")]
    options: dict[str, Any] = {} if kind == "tiff" else {"duration": 100}
    options |= {"lossless": True} if kind == "webp" else {}
    data = save(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert tuple(decode(data, LIMITS).rgb[5, 5]) == (255, 0, 0)


# --- orientation and colour


def upright(picture: Rgb, orientation: int) -> Rgb:
    """The stored array that shows `picture` when orientation is applied (EXIF 2.32, 4.6.2)."""
    return {
        1: picture,
        2: picture[:, ::-1],
        3: picture[::-1, ::-1],
        4: picture[::-1],
        5: picture.transpose(1, 0, 2),
        6: np.rot90(picture),
        7: picture[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(picture, -1),
    }[orientation]


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(
    photo: Photo, save: Save, exif: Callable[..., bytes], kind: str, orientation: int
) -> None:
    picture = photo()
    stored = np.ascontiguousarray(upright(picture, orientation))
    order = "<" if orientation % 2 else ">"
    data = save(stored, kind, exif=exif(orientation, order), quality=95)
    assert off(decode(data, LIMITS).rgb, picture) <= 3


def test_orientation_of_a_tiff(photo: Photo, save: Save) -> None:
    data = save(np.ascontiguousarray(upright(photo(), 6)), "tiff", tiffinfo={274: 6})
    assert off(decode(data, LIMITS).rgb, photo()) == 0


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"Exif\0\0", id="empty"),
        pytest.param(b"Exif\0\0II*\0\xff\xff\xff\xff", id="offset outside"),
        pytest.param(b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01" * 40, id="too many entries"),
        pytest.param(b"Exif\0\0nonsense", id="no tiff"),
    ],
)
def test_garbage_exif_is_ignored(photo: Photo, save: Save, kind: str, garbage: bytes) -> None:
    decoded = decode(save(photo(), kind, exif=garbage), LIMITS)
    assert off(decoded.rgb, photo()) <= 6


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_garbage_exif_in_an_avif_is_ignored(
    photo: Photo, save: Save, exif: Callable[..., bytes]
) -> None:
    data = save(photo(), "avif", exif=exif(1), quality=95)
    assert data.count(b"MM\0*\0\0\0\x08") == 1
    decoded = decode(data.replace(b"MM\0*\0\0\0\x08", b"MM\0*\xff\xff\xff\xff"), LIMITS)
    assert off(decoded.rgb, photo()) <= 3


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(
    photo: Photo, save: Save, exif: Callable[..., bytes], value: int
) -> None:
    assert off(decode(save(photo(), "png", exif=exif(value)), LIMITS).rgb, photo()) == 0


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff"])
def test_profiles_are_applied(photo: Photo, save: Save, swapped_profile: bytes, kind: str) -> None:
    data = save(photo(), kind, icc_profile=swapped_profile, quality=95)
    assert off(decode(data, LIMITS).rgb, photo()[..., ::-1]) <= 3


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_the_profile_of_srgb_changes_nothing(
    photo: Photo, save: Save, srgb_profile: bytes, kind: str
) -> None:
    plain = decode(save(photo(), kind), LIMITS).rgb
    tagged = decode(save(photo(), kind, icc_profile=srgb_profile), LIMITS).rgb
    assert np.array_equal(plain, tagged)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff"])
def test_a_broken_profile_is_ignored(
    photo: Photo, save: Save, srgb_profile: bytes, kind: str
) -> None:
    for profile in (b"not a profile", srgb_profile[:200]):
        data = save(photo(), kind, icc_profile=profile, quality=95)
        assert off(decode(data, LIMITS).rgb, photo()) <= 3


def test_a_profile_of_another_colour_space_is_ignored(
    photo: Photo, save: Save, srgb_profile: bytes
) -> None:
    cmyk = Image.fromarray(photo()).convert("CMYK")
    decoded = decode(save(cmyk, "tiff", icc_profile=srgb_profile), LIMITS)
    assert off(decoded.rgb, photo()) <= 1


def test_the_fast_way_and_pillow_agree(photo: Photo, save: Save) -> None:
    data = save(photo(333, 517), "jpeg", quality=90)
    with Image.open(BytesIO(data)) as image:
        assert off(decode(data, LIMITS).rgb, np.asarray(image)) <= 0.5


# --- limits


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


def on_transparency(colour: int, height: int = 60, width: int = 200) -> tuple[Rgb, Rgb]:
    alpha = np.zeros((height, width), np.uint8)
    cv2.putText(alpha, "TEXT", (10, 45), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 255, 3, cv2.LINE_AA)
    return np.full((height, width, 3), colour, np.uint8), alpha


@pytest.mark.parametrize(
    ("colour", "ground"),
    [
        pytest.param(255, 32, id="white type on dark"),
        pytest.param(0, 255, id="black type on white"),
        pytest.param(128, 255, id="grey type on white"),
    ],
)
def test_flattening_keeps_type_readable(colour: int, ground: int) -> None:
    rgb, alpha = on_transparency(colour)
    flat = flatten(rgb, alpha)
    assert flat[0, 0, 0] == ground
    assert (flat[alpha == 255] == colour).all()


def test_black_and_white_type_together_get_middle_grey() -> None:
    rgb, alpha = on_transparency(255)
    rgb[:, 100:] = 0
    assert flatten(rgb, alpha)[0, 0, 0] == 128


def test_flattening_of_nothing_is_white() -> None:
    flat = flatten(np.zeros((20, 20, 3), np.uint8), np.zeros((20, 20), np.uint8))
    assert (flat == 255).all()


def test_flattening_an_opaque_picture_does_nothing(photo: Photo) -> None:
    picture = photo()
    assert flatten(picture, None) is picture
