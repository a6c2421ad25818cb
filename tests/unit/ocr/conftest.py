"""Nets of a few lines with the shapes of the real ones: they find ink and name its colour."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from models.ocr import ReaderOptions, TextReader
from models.ocr.detection import DEVIATION, MEAN
from models.session import Array, TensorSpec
from packshot.results import ModelInfo

#: Inks (RGB) and what the recogniser reads in them.
INKS = {"R": (200, 0, 0), "G": (0, 160, 0), "B": (0, 0, 200)}
CHARSET = ("R", "G", "B", "?")


class SmallNet:
    """A session that computes its answer with a function and keeps the shapes that it was fed."""

    def __init__(self, name: str, answer: Callable[[Array], Array], classes: int = -1) -> None:
        self._answer = answer
        self.shapes: list[tuple[int, ...]] = []
        self.info = ModelInfo(name=name, version="1", sha256="0" * 64, licence="none")
        self.inputs = (TensorSpec("x", (-1, 3, -1, -1), "float32"),)
        self.outputs = (TensorSpec("y", (-1, -1, classes), "float32"),)
        self.providers = ("none",)

    def run(self, feed: Mapping[str, Array], wanted: Sequence[str] | None = None) -> list[Array]:
        tensor = feed["x"]
        assert tensor.dtype == np.float32
        self.shapes.append(tensor.shape)
        return [self._answer(tensor)]


def find_ink(tensor: Array) -> Array:
    """0.9 on every pixel with ink, as the detector's map."""
    bgr = tensor.transpose(0, 2, 3, 1) * DEVIATION + MEAN
    paper = np.abs(tensor).sum(axis=1) == 0
    ink: Array = np.where((bgr.min(axis=3) < 128) & ~paper, 0.9, 0.0).astype(np.float32)
    return ink[:, None]


def never_turned(tensor: Array) -> Array:
    return np.tile(np.array([[0.99, 0.01]], np.float32), (len(tensor), 1))


def name_ink(tensor: Array) -> Array:
    """One step per item: the class of the nearest ink, at a chance that falls with distance."""
    answer = np.zeros((len(tensor), 3, len(CHARSET) + 2), np.float32)
    answer[:, :, 0] = 0.01
    for item, chances in zip(tensor, answer, strict=True):
        rgb = (item[::-1] + 1.0) * 127.5
        dark = rgb.min(axis=0) < 100
        seen = rgb[:, dark].mean(axis=1) if dark.any() else np.zeros(3)
        distances = [float(np.abs(seen - ink).sum()) for ink in INKS.values()]
        best = int(np.argmin(distances))
        chances[1, best + 1] = 0.99 if distances[best] < 150 else 0.2
    return answer


@pytest.fixture
def nets() -> dict[str, SmallNet]:
    return {
        "detector": SmallNet("finds-ink", find_ink),
        "orientation": SmallNet("never-turned", never_turned),
        "recogniser": SmallNet("names-ink", name_ink, len(CHARSET) + 2),
    }


@pytest.fixture
def make_net() -> type[SmallNet]:
    return SmallNet


@pytest.fixture
def make_reader(nets: dict[str, SmallNet]) -> Callable[..., TextReader]:
    def make(options: ReaderOptions | None = None, **other: SmallNet) -> TextReader:
        chosen = {**nets, **other}
        return TextReader(
            detector=chosen["detector"],
            orientation=chosen["orientation"],
            recogniser=chosen["recogniser"],
            charset=CHARSET,
            options=options,
        )

    return make


@pytest.fixture
def paint() -> Callable[..., Array]:
    def make(size: tuple[int, int], *bars: tuple[str, tuple[int, int, int, int]]) -> Array:
        """White paper of (height, width) with bars of ink at (left, top, right, bottom)."""
        picture = np.full((*size, 3), 255, np.uint8)
        for ink, (left, top, right, bottom) in bars:
            picture[top:bottom, left:right] = INKS[ink]
        return picture

    return make
