import re

import numpy as np
import pytest

from models.matting.confidence import DOUBT_LIMIT, SUPPLIED, judge
from models.matting.u2net import Saliency
from packshot.imaging.inspect import Facts
from packshot.results import Box


def facts(
    *,
    coverage: float = 0.3,
    uncertain: float = 0.05,
    subjects: int = 1,
    contact: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0),
    touches: tuple[str, ...] = (),
    empty: bool = False,
) -> Facts:
    return Facts(
        coverage=coverage,
        uncertain=uncertain,
        box=None if empty else Box(left=1, top=2, right=30, bottom=40),
        subjects=0 if empty else subjects,
        largest=0.0 if empty else 1.0 / subjects,
        holes=0,
        contact=contact,
        touches=touches,
    )


def saliency(*, presence: float = 1.0, undecided: float = 0.05, blur: float = 2.0) -> Saliency:
    return Saliency(np.zeros((1, 1), np.float32), presence, undecided, blur)


def test_a_clean_matte_is_trusted_and_quiet() -> None:
    verdict = judge(facts(), saliency())
    assert 0.95 < verdict.confidence < 1
    assert verdict.signals == ()


def test_a_supplied_alpha_is_trusted_and_quiet() -> None:
    verdict = judge(facts(), None)
    assert verdict.confidence == SUPPLIED
    assert verdict.signals == ()


@pytest.mark.parametrize(
    ("found", "seen", "codes"),
    [
        pytest.param(facts(empty=True, coverage=0), saliency(presence=0.3), "empty_matte", id="no"),
        pytest.param(facts(coverage=5e-4), saliency(), "empty_matte", id="next to nothing"),
        pytest.param(facts(empty=True, coverage=0.2), None, "empty_matte", id="a supplied veil"),
        pytest.param(facts(coverage=0.97), saliency(), "full_matte", id="full"),
        pytest.param(facts(), saliency(undecided=0.3, blur=8), "uncertain_edges", id="undecided"),
        pytest.param(
            facts(contact=(0, 0, 0.4, 0), touches=("bottom",)),
            saliency(),
            "subject_cropped",
            id="cropped",
        ),
        pytest.param(facts(subjects=3), saliency(), "several_subjects", id="three"),
        pytest.param(
            facts(subjects=2, contact=(0.1, 0, 0, 0.2), touches=("top", "left")),
            saliency(undecided=0.5, blur=5),
            "uncertain_edges subject_cropped several_subjects",
            id="all at once",
        ),
    ],
)
def test_signals(found: Facts, seen: Saliency | None, codes: str) -> None:
    signals = judge(found, seen).signals
    assert [signal.code for signal in signals] == codes.split()
    for signal in signals:
        assert signal.field == "matte"
        assert signal.value is not None
        assert signal.threshold is not None
        assert re.fullmatch(r"[A-Z].*\d.*\.", signal.message)


def test_a_cropped_signal_names_the_sides() -> None:
    found = facts(contact=(0.1, 0, 0, 0.25), touches=("top", "left"))
    (signal,) = judge(found, saliency()).signals
    assert "top (10%), left (25%)" in signal.message
    assert signal.value == 0.25


def test_an_empty_matte_is_worth_nothing() -> None:
    assert judge(facts(empty=True, coverage=0), saliency(presence=0.2)).confidence == 0


def test_confidence_falls_with_doubt_and_passes_the_review_limit_with_the_signal() -> None:
    doubts = [0.0, 0.5, 0.85, DOUBT_LIMIT, 1.34, 3.0, 10.0]
    steps = [judge(facts(), saliency(undecided=doubt, blur=1)).confidence for doubt in doubts]
    assert steps == sorted(steps, reverse=True)
    assert steps[2] > 0.85
    assert steps[3] == pytest.approx(0.85, abs=0.01)
    assert steps[4] < 0.8
    assert 0 < steps[-1] < 0.1


@pytest.mark.parametrize(("presence", "low", "high"), [(0.55, 0.05, 0.15), (0.76, 0.5, 0.6)])
def test_confidence_falls_with_presence(presence: float, low: float, high: float) -> None:
    assert low < judge(facts(), saliency(presence=presence)).confidence < high
