"""What a product stands on: a colour, a gradient, or a picture that covers the canvas."""

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot import contract


def paint(
    background: str | contract.Gradient | contract.Template,
    width: int,
    height: int,
    template: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Paint an opaque background, uint8 height x width x 3.

    `template` is the picture (uint8 HxWx3) that a `contract.Template` names; without it that
    background raises `ValueError`, as does "transparent".
    """
    if isinstance(background, contract.Template):
        if template is None:
            raise ValueError("a template background needs the template's picture")
        return cover(template, width, height)
    if isinstance(background, contract.Gradient):
        return _gradient(_rgb(background.top), _rgb(background.bottom), width, height)
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = np.full((width, 3), _rgb(background), np.uint8)  # a row at a time is a plain copy
    return canvas


def cover(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Scale a picture (uint8 HxWx3) so that it covers the canvas, and cut off what sticks out."""
    tall, wide = picture.shape[:2]
    scale = max(width / wide, height / tall)
    # Cut first: a very long template must not be enlarged as a whole.
    cut_wide = min(wide, max(1, round(width / scale)))
    cut_tall = min(tall, max(1, round(height / scale)))
    left, top = (wide - cut_wide) // 2, (tall - cut_tall) // 2
    cut = picture[top : top + cut_tall, left : left + cut_wide]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(cut, (width, height), interpolation=way).astype(np.uint8, copy=False)


def _gradient(
    top: tuple[int, int, int], bottom: tuple[int, int, int], width: int, height: int
) -> NDArray[np.uint8]:
    column = np.rint(np.linspace(top, bottom, height)).astype(np.uint8)
    return np.repeat(column[:, None, :], width, axis=1)


def _rgb(colour: str) -> tuple[int, int, int]:
    """`#rrggbb` as numbers."""
    if len(colour) != 7 or colour[0] != "#":
        raise ValueError(f"not a colour of the form #rrggbb: {colour!r}")
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
