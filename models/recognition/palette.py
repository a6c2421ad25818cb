"""Basic colour names in English and Chinese, and which of them a colour takes."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Name:
    """One basic colour with typical shades of it, as `#rrggbb`."""

    en: str
    zh: str
    shades: tuple[str, ...]


#: Basic colour names with typical shades of each; a colour takes the name of the nearest shade.
#: Gold and silver are missing on purpose: they are a shine, not a colour that one pixel has.
NAMES: tuple[Name, ...] = (
    Name("white", "白色", ("#ffffff", "#f4f4f2", "#eaecee")),
    Name("black", "黑色", ("#000000", "#161616", "#20201e", "#1a1c22")),
    Name("grey", "灰色", ("#808080", "#5a5a5a", "#3c3c3c", "#a6a6a6", "#c8c8c8", "#6a7078")),
    Name("red", "红色", ("#e0201c", "#b01418", "#7c1418", "#e84a40", "#c8283c")),
    Name("orange", "橙色", ("#f5821e", "#ff9c38", "#e06818", "#f0a050")),
    Name("yellow", "黄色", ("#f8e020", "#fff06a", "#e8c020", "#f4d860", "#c8b420")),
    Name(
        "green",
        "绿色",
        (
            "#20a040",
            "#106828",
            "#0c3c1c",
            "#60c060",
            "#90d890",
            "#7a9a30",
            "#a8c860",
            "#5a6e3a",
            "#b4bc78",
        ),
    ),
    Name("cyan", "青色", ("#20c8d0", "#20a0a0", "#106c70", "#90e0e4")),
    Name(
        "blue",
        "蓝色",
        (
            "#2050d0",
            "#102878",
            "#0c1840",
            "#3c8ce0",
            "#80b8f0",
            "#b0d4f4",
            "#486890",
            "#2a4a6e",
            "#1818f0",
            "#1818a8",
        ),
    ),
    Name("purple", "紫色", ("#8030b0", "#501870", "#a070d0", "#c8a8e4", "#6a4a80", "#341448")),
    Name("pink", "粉色", ("#f480b0", "#f8b4cc", "#fad4dc", "#e84890", "#d890a0")),
    Name("brown", "棕色", ("#7a4a24", "#50300e", "#3a2418", "#9c6a40", "#b4845a", "#6a4838")),
    Name("beige", "米色", ("#e8dcc0", "#d8c8a4", "#f2e8d4", "#c8b494", "#e4c8a8")),
)


def colour_name(hex_code: str) -> tuple[str, str]:
    """The English and Chinese basic name of `#rrggbb`."""
    name = NAMES[nearest_name(_hex_to_lab((hex_code,))[0])]
    return name.en, name.zh


@cache
def _palette() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Every shade in Lab, and the index of the name that it stands for."""
    shades = tuple(shade for name in NAMES for shade in name.shades)
    owners = [index for index, name in enumerate(NAMES) for _ in name.shades]
    return _hex_to_lab(shades), np.array(owners, dtype=np.int64)


def nearest_name(lab: NDArray[np.float64]) -> int:
    """Index into `NAMES` of the shade that is nearest to a colour in Lab (CIE76)."""
    shades, owners = _palette()
    return int(owners[np.linalg.norm(shades - lab, axis=1).argmin()])


def to_lab(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """RGB uint8, shape (height, width, 3), to CIE Lab of the same shape: L in [0, 100]."""
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255.0, cv2.COLOR_RGB2Lab)
    return np.asarray(lab, dtype=np.float64)


def _hex_to_lab(codes: tuple[str, ...]) -> NDArray[np.float64]:
    pixels = np.array([[int(code[at : at + 2], 16) for at in (1, 3, 5)] for code in codes])
    row: NDArray[np.float64] = to_lab(pixels.astype(np.uint8)[np.newaxis])[0]
    return row
