"""A picture whose true alpha and colours are known."""

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scene:
    """A soft-edged disc with a pattern on a textured background."""

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.float32]
    colours: NDArray[np.uint8]
    coarse: NDArray[np.float32]

    @property
    def matte(self) -> NDArray[np.uint8]:
        """The true alpha as it is stored."""
        return levels(self.alpha)


def disc(height: int, width: int, radius: float, soft: float = 1.0) -> NDArray[np.float32]:
    """Alpha of a disc in the middle whose edge is `2 * soft` pixels wide."""
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height / 2 + 0.5, x - width / 2 + 0.5) - radius
    return np.asarray(np.clip(0.5 - distance / (2 * soft), 0.0, 1.0), np.float32)


def levels(alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    """An alpha in [0, 1] as a matte stores it."""
    return np.rint(alpha * 255).astype(np.uint8)


def texture(
    height: int, width: int, colour: tuple[int, int, int], seed: int
) -> NDArray[np.float32]:
    """A blotchy surface: float32 RGB in [0, 255]."""
    noise = np.random.default_rng(seed).normal(size=(height // 8 + 1, width // 8 + 1, 1))
    blots = cv2.resize(noise.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    surface = np.array(colour, np.float32) + 22 * blots[..., None]
    return np.asarray(np.clip(surface, 0, 255), np.float32)


def scene(height: int, width: int, radius: float, soft: float = 1.0) -> Scene:
    """The disc, and the blurred mask of it that a net with a 320 px answer would give."""
    alpha = disc(height, width, radius, soft)
    inside = texture(height, width, (210, 60, 40), seed=1)
    outside = texture(height, width, (70, 130, 90), seed=2)
    share = alpha[..., None]
    mixed = inside * share + outside * (1 - share)
    mixed += np.random.default_rng(3).normal(size=mixed.shape) * 2
    small = cv2.resize(alpha, (320, 320), interpolation=cv2.INTER_AREA)
    coarse = np.asarray(cv2.GaussianBlur(small, (0, 0), 2.5), np.float32)
    rgb = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    return Scene(rgb, alpha, np.rint(inside).astype(np.uint8), coarse)


@pytest.fixture(scope="session")
def photo() -> Scene:
    """640 x 800 pixels; neither side is a whole number of cells of every grid."""
    return scene(633, 801, 210.0, 1.5)
