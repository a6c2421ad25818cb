"""Input quality: cheap numbers, and the sentences that follow from them."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.imaging.scale import fit
from packshot.results import Quality, Signal

#: Longer side of the grey picture that everything is measured on (pixels).
_SIDE: Final = 512
#: Luma steps (0-255) from either end that count as clipped.
_CLIPPED: Final = 5

#: Variance of the Laplacian below which a photo is blurred: real product photos have 90 to 4,000,
#: the same ones blurred by 3 px at 512 px have 2 to 33.
BLURRED_BELOW: Final = 20.0
#: ... unless some tile has this much: a small sharp product on a plain ground is not blurred.
_SHARP_TILE: Final = 150.0
#: Side of such a tile (pixels).
_TILE: Final = 32
#: Luma (0 to 1) that the brightest hundredth of the pixels has to reach.
DARK_BELOW: Final = 0.30
#: Luma (0 to 1) that the darkest hundredth of the pixels has to stay under.
BRIGHT_ABOVE: Final = 0.75
#: Longer side in pixels that most marketplaces demand at least.
LOW_RESOLUTION_BELOW: Final = 500
#: A picture is blank when luma (0-255) varies less than this, both in spread and in range.
BLANK_BELOW: Final = 2.0
_BLANK_RANGE: Final = 24


def measure(rgb: NDArray[np.uint8]) -> Quality:
    """Measure an upright sRGB picture, uint8 HxWx3.

    `sharpness` is the variance of the Laplacian (Pech-Pacheco et al., "Diatom autofocusing in
    brightfield microscopy", 2000) at 512 px; smaller pictures are measured as they are.

    Returns:
        The numbers, and a signal for each of `blank`, `blurred`, `too_dark`, `too_bright` and
        `low_resolution` that applies. A blank picture gets no other signal about its content.
    """
    height, width = rgb.shape[:2]
    grey = _reduce(rgb)
    laplacian = cv2.Laplacian(grey, cv2.CV_32F).astype(np.float32, copy=False)
    sharpness = float(laplacian.var())
    size = _low_resolution(width, height)
    content = _blank(grey) or (_blurred(laplacian, sharpness) + _exposure(grey))
    return Quality(
        sharpness=round(sharpness, 2),
        exposure=round(float(grey.mean()) / 255, 4),
        clipped_dark=round(float((grey <= _CLIPPED).mean()), 4),
        clipped_light=round(float((grey >= 255 - _CLIPPED).mean()), 4),
        megapixels=round(width * height / 1e6, 3),
        signals=(*content, *size),
    )


def _reduce(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return fit(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False), _SIDE)


def _blank(grey: NDArray[np.uint8]) -> tuple[Signal, ...]:
    spread = float(grey.std())
    if spread >= BLANK_BELOW or int(grey.max()) - int(grey.min()) >= _BLANK_RANGE:
        return ()
    return (
        Signal(
            code="blank",
            message="The picture is one even colour: nothing can be seen on it.",
            value=round(spread, 3),
            threshold=BLANK_BELOW,
        ),
    )


def _blurred(laplacian: NDArray[np.float32], sharpness: float) -> tuple[Signal, ...]:
    if sharpness >= BLURRED_BELOW or _sharpest_tile(laplacian) >= _SHARP_TILE:
        return ()
    return (
        Signal(
            code="blurred",
            message="The photo is blurred: text on it may be misread, take it again in focus.",
            value=round(sharpness, 2),
            threshold=BLURRED_BELOW,
        ),
    )


def _sharpest_tile(laplacian: NDArray[np.float32]) -> float:
    rows, columns = laplacian.shape[0] // _TILE, laplacian.shape[1] // _TILE
    if not rows or not columns:
        return float(laplacian.var())
    cut = laplacian[: rows * _TILE, : columns * _TILE]
    return float(cut.reshape(rows, _TILE, columns, _TILE).var(axis=(1, 3)).max())


def _exposure(grey: NDArray[np.uint8]) -> tuple[Signal, ...]:
    low, high = (float(value) / 255 for value in np.percentile(grey, (1, 99)))
    if high < DARK_BELOW:
        return (
            Signal(
                code="too_dark",
                message="The photo is too dark: even its brightest parts are dark, add light.",
                value=round(high, 4),
                threshold=DARK_BELOW,
            ),
        )
    if low > BRIGHT_ABOVE:
        return (
            Signal(
                code="too_bright",
                message="The photo is too bright: even its darkest parts are pale, expose it less.",
                value=round(low, 4),
                threshold=BRIGHT_ABOVE,
            ),
        )
    return ()


def _low_resolution(width: int, height: int) -> tuple[Signal, ...]:
    longer = max(width, height)
    if longer >= LOW_RESOLUTION_BELOW:
        return ()
    return (
        Signal(
            code="low_resolution",
            message=f"The photo has only {width} x {height} pixels: most marketplaces want at "
            f"least {LOW_RESOLUTION_BELOW} on the longer side.",
            value=float(longer),
            threshold=float(LOW_RESOLUTION_BELOW),
        ),
    )
