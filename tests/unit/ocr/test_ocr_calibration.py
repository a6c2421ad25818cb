import numpy as np
import pytest

from models.ocr.calibration import Calibration
from packshot.errors import ConfigurationError

TABLE = Calibration((0.0, 0.5, 1.0), (0.1, 0.2, 0.9))


@pytest.mark.parametrize(
    ("score", "probability"), [(0.0, 0.1), (0.25, 0.15), (0.5, 0.2), (0.75, 0.55), (1.0, 0.9)]
)
def test_straight_lines_between_the_knots(score: float, probability: float) -> None:
    assert TABLE.probability(score) == pytest.approx(probability)


def test_the_table_that_ships_never_falls_and_ends_below_one() -> None:
    table = Calibration.load()
    chances = [table.probability(score) for score in np.linspace(0, 1, 501)]
    assert (np.diff(chances) >= 0).all()
    assert chances[0] == 0.0
    assert 0.9 < chances[-1] < 1.0
    assert table.probability(0.8) < 0.1
    assert table.probability(0.985) > 0.9


@pytest.mark.parametrize(
    ("scores", "probabilities", "says"),
    [
        pytest.param((0.0, 1.0), (0.0,), "as many", id="lengths differ"),
        pytest.param((0.0,), (0.0,), "two at least", id="one knot"),
        pytest.param((0.1, 1.0), (0.0, 1.0), "rise from 0 to 1", id="does not start at 0"),
        pytest.param((0.0, 0.9), (0.0, 1.0), "rise from 0 to 1", id="does not end at 1"),
        pytest.param((0.0, 0.5, 0.5, 1.0), (0, 0, 1, 1), "rise", id="a score twice"),
        pytest.param((0.0, 0.5, 1.0), (0.0, 0.9, 0.8), "never fall", id="falls"),
        pytest.param((0.0, 1.0), (0.0, 1.1), "lie in 0 to 1", id="above 1"),
        pytest.param((0.0, 1.0), (-0.1, 1.0), "lie in 0 to 1", id="below 0"),
        pytest.param((0.0, 1.0), (float("nan"), 1.0), "lie in 0 to 1", id="nan"),
    ],
)
def test_a_wrong_table_is_refused(
    scores: tuple[float, ...], probabilities: tuple[float, ...], says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        Calibration(scores, probabilities)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("knot = [", id="no toml"),
        pytest.param("", id="no knots"),
        pytest.param("[[knot]]\nscore = 0.0", id="half a knot"),
        pytest.param("[[knot]]\nscore = 'high'\nprobability = 1", id="no number"),
        pytest.param("knot = 3", id="no list"),
    ],
)
def test_an_unreadable_table_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="install Packshot again"):
        Calibration.parse(text)


def test_parse() -> None:
    text = "[[knot]]\nscore = 0\nprobability = 0.1\n[[knot]]\nscore = 1\nprobability = 0.5\n"
    assert Calibration.parse(text) == Calibration((0.0, 1.0), (0.1, 0.5))
