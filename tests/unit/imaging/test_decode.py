"""Decoding: every format, every mode, and everything that people send by mistake."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from packshot.imaging.colour import flatten
from packshot.imaging.decode import Limits, decode, sniff
from tests.support.formats import FORMATS, off

Rgb = NDArray[np.uint8]
Photo = Callable[..., Rgb]
Save = Callable[..., bytes]

LIMITS = Limits()


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
