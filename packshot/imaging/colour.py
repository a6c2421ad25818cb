"""Every picture becomes plain sRGB without transparency before a model sees it."""

from io import BytesIO
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

#: A profile whose result differs from its input by at most this (0-255) is sRGB by another name.
_SAME: Final = 2
#: Pillow's mode for each colour space that an ICC profile may describe.
_MODES: Final = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}
#: Modes whose numbers mean something else than light: they fit only a profile of their own kind.
_NOT_LIGHT: Final = frozenset({"CMYK", "LAB"})

#: Greys to put a transparent picture on, the preferred first: shops and models like white.
_BACKGROUNDS: Final = (255, 32, 128)
#: Luma steps (0-255) between an edge and the background below which the edge is hard to see.
_FAINT: Final = 56
#: Share of faint edge pixels that is accepted without looking for a better background.
_FAINT_SHARE: Final = 0.1
#: Alpha (0-255) from which a pixel counts as visible.
_VISIBLE: Final = 128


def to_srgb(image: Image.Image, profile: bytes | None) -> NDArray[np.uint8]:
    """Convert a Pillow image without alpha (L, RGB, CMYK, LAB, ...) to sRGB, uint8 HxWx3.

    The ICC profile is applied with relative colorimetric intent and black point compensation. One
    that is broken, or describes another colour space than the picture has, is ignored: the picture
    is then a little off in colour, which is better than no picture.
    """
    prepared = _prepare(profile, image.mode) if profile else None
    if prepared is None and image.mode == "LAB":
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        prepared = "LAB", _transform(lab, "LAB")
    if prepared is None:
        return np.array(image.convert("RGB"))
    mode, transform = prepared
    return _run(image if image.mode == mode else image.convert(mode), transform)


def array_to_srgb(rgb: NDArray[np.uint8], profile: bytes) -> NDArray[np.uint8]:
    """Do the same for an RGB array; where the profile changes nothing, the array is the answer."""
    prepared = _prepare(profile, "RGB")
    if prepared is None or prepared[0] != "RGB":
        return rgb
    return _run(Image.fromarray(rgb), prepared[1])


def _run(image: Image.Image, transform: ImageCms.ImageCmsTransform) -> NDArray[np.uint8]:
    try:
        return np.array(ImageCms.applyTransform(image, transform))
    except (ImageCms.PyCMSError, ValueError):
        return np.array(image.convert("RGB"))


def _prepare(profile: bytes, mode: str) -> tuple[str, ImageCms.ImageCmsTransform] | None:
    """The mode that the profile wants and the way to sRGB; None where it cannot help a `mode`."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        wanted = _MODES.get(source.profile.xcolor_space.strip())
        if wanted is None or (wanted != mode and {wanted, mode} & _NOT_LIGHT):
            return None
        transform = _transform(source, wanted)
        if wanted == "RGB" and _changes_nothing(transform):
            return None
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return wanted, transform


def _transform(source: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Try the transform on a grid of colours: names of profiles lie, results do not."""
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    after = np.asarray(ImageCms.applyTransform(Image.fromarray(grid), transform))
    return int(np.abs(after.astype(np.int16) - grid).max()) <= _SAME


def flatten(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """Put a picture on an opaque grey that its visible edges stand out from.

    White type on transparency vanishes on white, so the background (white, else nearly black, else
    middle grey) is chosen by the luma of the visible pixels next to invisible ones.

    Args:
        rgb: uint8 HxWx3, straight (not premultiplied) colours.
        alpha: uint8 HxW, or None for an opaque picture, which is returned as it is.

    Returns:
        uint8 HxWx3.
    """
    if alpha is None:
        return rgb
    ground = _background(rgb, alpha)
    cover = alpha.astype(np.uint16)[..., None]
    mixed = rgb * cover + np.uint16(ground) * (np.uint16(255) - cover)
    return ((mixed + np.uint16(127)) // np.uint16(255)).astype(np.uint8)


def _background(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> int:
    visible = alpha >= _VISIBLE
    if not visible.any():
        visible = alpha > 0  # a picture of glass or smoke: judge all there is
    hidden = np.asarray(~visible, np.uint8)
    edge = visible & (cv2.dilate(hidden, np.ones((5, 5), np.uint8)) > 0)
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[edge].astype(np.int16)
    if luma.size == 0:
        return _BACKGROUNDS[0]
    faint = {grey: float((np.abs(luma - grey) < _FAINT).mean()) for grey in _BACKGROUNDS}
    for grey, share in faint.items():
        if share <= _FAINT_SHARE:
            return grey
    return min(faint, key=lambda grey: faint[grey])
