"""The real weights in common batches say what they say alone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import pytest

from models.bundle import Batching, Models, load
from models.registry import Registry
from models.session import Array
from packshot.contract import Step
from packshot.imaging.decode import Limits, decode
from packshot.results import TextResult
from workers import samples

pytestmark = pytest.mark.models

STEPS = (Step.OCR, Step.RECOGNITION, Step.MATTING)
#: Two shapes, two scripts, and photos without text.
NAMES = ("lotion.jpg", "earphones.jpg", "dish_soap.jpg", "teddy.jpg", "blank_jar.jpg")

Answer = TypeVar("Answer")


@pytest.fixture(scope="module")
def alone(weights: Registry) -> Models:
    return load(weights, STEPS, device="cpu", batching=Batching(1))


@pytest.fixture(scope="module")
def together(weights: Registry) -> Models:
    return load(weights, STEPS, device="cpu", batching=Batching(4, max_wait=0.05))


@pytest.fixture(scope="module")
def photos() -> list[Array]:
    paths = [sample.path for sample in samples.truth() if sample.file in NAMES]
    return [decode(path.read_bytes(), Limits()).rgb for path in paths]


def at_once(work: Callable[[Array], Answer], photos: list[Array]) -> list[Answer]:
    with ThreadPoolExecutor(len(photos)) as pool:
        return list(pool.map(work, photos))


def test_the_same_text(alone: Models, together: Models, photos: list[Array]) -> None:
    def told(result: TextResult) -> list[tuple[str, bool]]:
        return [(line.text, line.vertical) for line in result.lines]

    assert alone.reader and together.reader
    batched = [told(result) for result in at_once(together.reader.read, photos)]
    assert batched == [told(alone.reader.read(photo)) for photo in photos]
    assert sum(map(len, batched)) > 20


def test_the_same_categories(alone: Models, together: Models, photos: list[Array]) -> None:
    assert alone.recogniser and together.recogniser
    recognise = together.recogniser.recognise
    batched = at_once(lambda photo: recognise(photo, None), photos)
    for photo, found in zip(photos, batched, strict=True):
        wanted = alone.recogniser.recognise(photo, None)
        assert [c.id for c in found.categories] == [c.id for c in wanted.categories]
        assert found.confidence == pytest.approx(wanted.confidence, abs=1e-4)


def test_the_same_mattes(alone: Models, together: Models, photos: list[Array]) -> None:
    assert alone.matter and together.matter
    for photo, found in zip(photos, at_once(together.matter.matte, photos), strict=True):
        np.testing.assert_array_equal(found.alpha, alone.matter.matte(photo).alpha)
