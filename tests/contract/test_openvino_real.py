"""The real weights in bfloat16: what is lost is what the manifest's `half` says, nothing to see."""

import numpy as np
import pytest

from models import openvino
from models.bundle import Models, load
from models.registry import Registry
from packshot.contract import Step
from packshot.imaging.decode import Limits, decode
from packshot.results import TextResult
from tests.benchmarks.matte_quality import unit
from workers import samples

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(not openvino.installed(), reason="the extra `openvino` is not installed"),
    pytest.mark.skipif(not openvino.has_bfloat16(), reason="no bfloat16 on this processor"),
]

STEPS = (Step.OCR, Step.RECOGNITION, Step.MATTING)
#: Photos with text in two scripts, a package, a toy and hard edges.
NAMES = ("lotion.jpg", "earphones.jpg", "flour.jpg", "battery.jpg", "teddy.jpg", "orange.jpg")
#: Mean difference of a matte from the one in single precision, in [0, 1]. On 72 composites with a
#: known alpha the error against the truth was the same in both precisions.
MATTE = 0.01


@pytest.fixture(scope="module")
def both(weights: Registry) -> tuple[Models, Models]:
    return load(weights, STEPS, device="cpu"), load(weights, STEPS, device="auto")


def legible(text: TextResult, sure: float) -> list[str]:
    """What was read for certain; small print out of focus is anybody's guess in any precision."""
    return [line.text for line in text.lines if line.score >= sure]


def test_bfloat16_is_chosen_and_named(both: tuple[Models, Models]) -> None:
    runtimes = {info.runtime for step in STEPS for info in both[1].info(step)}
    assert runtimes == {"openvino-bf16"}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_text_category_and_matte(both: tuple[Models, Models], name: str) -> None:
    full, half = both
    assert full.reader and full.recogniser and full.matter
    assert half.reader and half.recogniser and half.matter
    path = next(sample.path for sample in samples.truth() if sample.file == name)
    rgb = decode(path.read_bytes(), Limits()).rgb

    text = full.reader.read(rgb)
    read = half.reader.read(rgb)
    assert set(legible(text, 0.98)) <= {line.text for line in read.lines}
    assert len(read.lines) == len(text.lines)
    seen = [one.recognise(rgb, text).categories for one in (full.recogniser, half.recogniser)]
    assert seen[0][0].id == seen[1][0].id
    assert seen[0][0].probability == pytest.approx(seen[1][0].probability, abs=0.05)
    mattes = [unit(one.matte(rgb).alpha) for one in (half.matter, full.matter)]
    assert float(np.abs(mattes[0] - mattes[1]).mean()) < MATTE
