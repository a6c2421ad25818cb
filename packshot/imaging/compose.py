"""From one cut-out to any listing picture: place, scale, put a background under it.

All blending happens on premultiplied colours in 16 bits: scaled straight colours would bleed the
invisible colour of transparent pixels into the edge, as a dark or light fringe.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.contract import Output
from packshot.imaging.background import paint
from packshot.imaging.shadow import soft_shadow
from packshot.results import Box

#: Share of the canvas that the product's longer side takes when only a size is given.
DEFAULT_FILL: Final = 0.85
#: Alpha (0 to 1) above which a pixel belongs to the product's box.
BOX_ALPHA: Final = 0.05
#: The same for `cv2.threshold` and 8 bits: above it, 255.
_INSIDE: Final = (int(BOX_ALPHA * 255), 255, cv2.THRESH_BINARY)
#: Soft pixels outside that box are kept up to this share of the product's longer side.
_MARGIN: Final = 0.02
#: Full scale of the premultiplied layer: 255 x 255, so that colour x alpha is exact.
_FULL: Final = 255 * 255
#: Rows that are blended at once: bounds the temporary floats of a large canvas (pixels).
_BAND: Final = 256


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished picture: uint8 HxWx3, or HxWx4 where the background is transparent.

    `fill` is measured on it: the product's longer side relative to the canvas; None where the
    matte is empty.
    """

    image: NDArray[np.uint8]
    fill: float | None


@dataclass(frozen=True, slots=True)
class _Layer:
    """Premultiplied uint16 HxWx4 (0 to 65025), and where its corner lies on the canvas."""

    pixels: NDArray[np.uint16]
    left: int
    top: int

    @property
    def window(self) -> tuple[slice, slice]:
        """The part of the canvas that it covers."""
        height, width = self.pixels.shape[:2]
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def render(
    cutout: NDArray[np.uint8], output: Output, template: NDArray[np.uint8] | None = None
) -> Rendered:
    """Render one picture of the contract.

    Args:
        cutout: uint8 HxWx4, straight colours.
        output: what is wanted. With `size` the canvas is a square of that side and the product
            fills `fill` (0.85 where it is None) of it; without, the canvas has the photo's size,
            and the product keeps its place unless `fill` is given.
        template: uint8 HxWx3, the picture that `output.background` names, if it names one.

    Returns:
        The picture. The product's box (alpha > 0.05) is centred where it was scaled. Where alpha
        is 0 the background is untouched; in a transparent picture the colour is zero there.

    Raises:
        ValueError: the background is a template and `template` is missing.
    """
    height, width = (output.size, output.size) if output.size else cutout.shape[:2]
    fill = output.fill if output.fill or not output.size else DEFAULT_FILL
    layer = _layer(cutout, width, height, fill)
    alpha = _alpha(layer, width, height)
    shadow = soft_shadow(alpha) if output.shadow else None
    if output.background == "transparent":
        image = _float(layer, alpha, shadow)
    else:
        image = paint(output.background, width, height, template)
        _put(image, layer, shadow)
    return Rendered(image, subject_fill(alpha))


def is_cutout(output: Output) -> bool:
    """Whether the picture is the cut-out itself: nothing is scaled, moved or painted."""
    moved = output.size is not None or output.fill is not None
    return output.background == "transparent" and not moved and not output.shadow


def subject_fill(alpha: NDArray[np.uint8]) -> float | None:
    """The longer side of the product's box relative to the picture (uint8 HxW); None if empty."""
    box = subject_box(alpha)
    if box is None:
        return None
    height, width = alpha.shape
    return float(max((box.right - box.left) / width, (box.bottom - box.top) / height))


def subject_box(alpha: NDArray[np.uint8]) -> Box | None:
    """The box of the pixels with an alpha (uint8 HxW) above 0.05; None where there are none."""
    # Copied first where it is one channel of four: a comparison that strides takes twice as long.
    _, inside = cv2.threshold(np.ascontiguousarray(alpha), *_INSIDE)
    left, top, width, height = cv2.boundingRect(inside)
    return Box(left=left, top=top, right=left + width, bottom=top + height) if width else None


def _layer(cutout: NDArray[np.uint8], width: int, height: int, fill: float | None) -> _Layer:
    """Scale and place the product; with no fill, or no product, it stays as it is."""
    box = subject_box(cutout[..., 3])
    if fill is None or box is None:
        # An empty matte keeps nothing: its faint remains are noise, not a product.
        kept = cutout if box is not None else cutout[:0, :0]
        return _Layer(_premultiply(kept), 0, 0)
    wide, tall = box.right - box.left, box.bottom - box.top
    scale = min(fill * width / wide, fill * height / tall)
    margin = math.ceil(max(wide, tall) * _MARGIN)
    left, top = max(0, box.left - margin), max(0, box.top - margin)
    right, bottom = box.right + margin, box.bottom + margin
    part = _premultiply(cutout[top:bottom, left:right])
    scaled = _resize(part, scale)
    # The real scale differs from the wanted one by the rounding to whole pixels.
    centre_x = ((box.left + box.right) / 2 - left) * scaled.shape[1] / part.shape[1]
    centre_y = ((box.top + box.bottom) / 2 - top) * scaled.shape[0] / part.shape[0]
    return _clip(scaled, round(width / 2 - centre_x), round(height / 2 - centre_y), width, height)


def _premultiply(cutout: NDArray[np.uint8]) -> NDArray[np.uint16]:
    layer = np.empty(cutout.shape, np.uint16)
    for band in _bands(cutout.shape[0]):
        part = cutout[band]
        alpha = cv2.extractChannel(part, 3)
        # Four factors a pixel: a factor that is repeated for three channels takes eight times as
        # long, since no vector unit likes three.
        factors = cv2.merge([alpha, alpha, alpha, np.full_like(alpha, 255)])
        np.multiply(part, factors, out=layer[band], dtype=np.uint16)
    return layer


def _resize(layer: NDArray[np.uint16], scale: float) -> NDArray[np.uint16]:
    height, width = layer.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size == (width, height):
        return layer
    if scale < 1:
        smaller = cv2.resize(layer, size, interpolation=cv2.INTER_AREA)
        return smaller.astype(np.uint16, copy=False)
    # Halved, because cubic overshoots at edges and 16 bits have no room above full scale.
    larger = cv2.resize(layer >> 1, size, interpolation=cv2.INTER_CUBIC)
    return _tame(larger.astype(np.uint16, copy=False))


def _tame(halved: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Double the values again and take back the overshoot, in place.

    Where alpha is above full scale all four shrink together, which keeps the colour; a colour
    above its alpha would be brighter than white.
    """
    for band in _bands(halved.shape[0]):
        before = halved[band]
        planes = [cv2.add(one, one) for one in cv2.split(before)]  # saturates what is replaced next
        over = np.nonzero(planes[3] > _FULL)
        pixels = before[over].astype(np.float32) * 2
        pixels *= _FULL / pixels[..., 3:]
        for plane, values in zip(planes, np.rint(np.minimum(pixels, _FULL)).T, strict=True):
            plane[over] = values
        *colours, alpha = planes
        halved[band] = cv2.merge([*(cv2.min(one, alpha) for one in colours), alpha])
    return halved


def _clip(pixels: NDArray[np.uint16], left: int, top: int, width: int, height: int) -> _Layer:
    """Cut off what lies outside the canvas: at most the soft margin."""
    inside = pixels[max(0, -top) : height - top, max(0, -left) : width - left]
    return _Layer(inside, max(0, left), max(0, top))


def _alpha(layer: _Layer, width: int, height: int) -> NDArray[np.uint8]:
    """The product's alpha on the whole canvas, 8 bits."""
    alpha = np.zeros((height, width), np.uint8)
    alpha[layer.window] = (layer.pixels[..., 3] + np.uint16(127)) // np.uint16(255)
    return alpha


def _put(image: NDArray[np.uint8], layer: _Layer, shadow: NDArray[np.uint8] | None) -> None:
    """Blend shadow and product into an opaque canvas, in place."""
    if shadow is not None:
        for band in _bands(image.shape[0]):
            light = 1 - shadow[band, :, None].astype(np.float32) / 255
            image[band] = np.rint(image[band] * light)
    window = image[layer.window]
    for band in _bands(window.shape[0]):
        _blend(window[band], np.ascontiguousarray(layer.pixels[band]))


def _blend(under: NDArray[np.uint8], over: NDArray[np.uint16]) -> None:
    """Put a band of the product over a band of the canvas, in place.

    Only the edge needs arithmetic, a small part of a product's pixels.
    """
    alpha = cv2.extractChannel(over, 3)
    solid = alpha >= _FULL - 1  # scaling up loses the last bit
    edge = np.nonzero((alpha > 0) & ~solid)
    pixels = over[edge].astype(np.float32)
    blended = pixels[..., :3] / 255 + under[edge] * (1 - pixels[..., 3:] / _FULL)
    opaque = cv2.convertScaleAbs(cv2.cvtColor(over, cv2.COLOR_BGRA2BGR), alpha=1 / 255)
    under[:] = cv2.copyTo(opaque, solid.view(np.uint8), under)
    under[edge] = np.rint(blended)


def _float(
    layer: _Layer, alpha: NDArray[np.uint8], shadow: NDArray[np.uint8] | None
) -> NDArray[np.uint8]:
    """Make a transparent picture: straight colours, zero where alpha is."""
    height, width = alpha.shape
    image = np.zeros((height, width, 4), np.uint8)
    image[..., 3] = alpha if shadow is None else _union(alpha, shadow)
    window = image[layer.window]
    for band in _bands(window.shape[0]):
        pixels = layer.pixels[band].astype(np.float32)
        below = window[band][..., 3:].astype(np.float32) * 255
        # With a shadow the black below takes its share of the colour, hence the larger divisor.
        cover = pixels[..., 3:] if shadow is None else np.maximum(pixels[..., 3:], below)
        colour = pixels[..., :3] * (255 / np.maximum(cover, 1))
        colour[window[band][..., 3] == 0] = 0
        window[band][..., :3] = np.rint(np.minimum(colour, 255))
    return image


def _union(alpha: NDArray[np.uint8], shadow: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Opacity of one layer over another: a + s (1 - a)."""
    over = np.uint16(255) - alpha.astype(np.uint16)
    both: NDArray[np.uint8] = alpha + ((shadow * over + np.uint16(127)) // np.uint16(255)).astype(
        np.uint8
    )
    return both


def _bands(height: int) -> list[slice]:
    return [slice(start, start + _BAND) for start in range(0, height, _BAND)]
