import numpy as np
import pytest

from models.ocr.ctc import CtcDecoder
from models.session import Array
from packshot.errors import ConfigurationError

CHARSET = ("a", "b", "中")
SPACE = 4


def steps(*classes: int, chance: float = 0.9) -> Array:
    chances = np.full((1, len(classes), 5), 0.01, np.float32)
    chances[0, np.arange(len(classes)), list(classes)] = chance
    return chances


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        pytest.param((0, 0, 0), "", id="blanks alone"),
        pytest.param((1, 2, 3), "ab中", id="each once"),
        pytest.param((1, 1, 2, 2), "ab", id="repeats merge"),
        pytest.param((1, 0, 1), "aa", id="a blank keeps repeats apart"),
        pytest.param((1, SPACE, 2), "a b", id="the last class is the space"),
        pytest.param((0, 3, 3, 0, 0, 3), "中中", id="mixed"),
    ],
)
def test_decode(classes: tuple[int, ...], text: str) -> None:
    (reading,) = CtcDecoder(CHARSET).decode(steps(*classes))
    assert reading.text == text


def test_score_is_the_mean_over_characters_and_not_over_steps() -> None:
    chances = steps(1, 1, 0, 2)
    chances[0, 0, 1], chances[0, 1, 1], chances[0, 3, 2] = 0.8, 0.5, 0.6
    (reading,) = CtcDecoder(CHARSET).decode(chances)
    assert reading.score == pytest.approx(0.7)


def test_nothing_read_scores_nothing() -> None:
    assert CtcDecoder(CHARSET).decode(steps(0, 0)) == [("", 0.0)]


def test_items_of_a_batch_do_not_touch() -> None:
    batch = np.concatenate([steps(1, 1), steps(1, 2), steps(0, 0)])
    assert [reading.text for reading in CtcDecoder(CHARSET).decode(batch)] == ["a", "ab", ""]


def test_a_score_never_exceeds_one() -> None:
    (reading,) = CtcDecoder(CHARSET).decode(steps(1, chance=1.0000001))
    assert reading.score <= 1.0


def test_a_charset_of_another_net_is_refused() -> None:
    CtcDecoder(CHARSET, classes=5)
    with pytest.raises(ConfigurationError, match="answers 6 classes"):
        CtcDecoder(CHARSET, classes=6)
