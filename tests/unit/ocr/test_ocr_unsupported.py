import pytest

from models.ocr.ctc import Reading
from models.ocr.unsupported import Evidence, evidence, unsupported_script

F, M, G, V, W = Evidence.FINE, Evidence.MUTE, Evidence.GREEK, Evidence.VIETNAMESE, Evidence.WEAK


@pytest.mark.parametrize(
    ("text", "score", "aspect", "expected"),
    [
        pytest.param("Organic Tea", 0.99, 6.0, F, id="latin"),
        pytest.param("净含量", 0.99, 3.4, F, id="han"),
        pytest.param("D O V E", 0.97, 6.0, F, id="letter-spaced"),
        pytest.param("", 0.0, 1.0, W, id="a square that says nothing"),
        pytest.param("", 0.0, 4.0, M, id="hangul: nothing"),
        pytest.param("   ", 0.98, 9.0, M, id="cyrillic: the blanks between words"),
        pytest.param(": ,", 0.9, 7.7, M, id="cyrillic: the punctuation"),
        pytest.param("告", 0.91, 3.3, M, id="hangul: one look-alike"),
        pytest.param("ρσιν τσι", 0.94, 4.7, G, id="greek"),
        pytest.param("APAΓETAI ΣTHN EΛΛA△A", 0.84, 9.0, G, id="greek capitals"),
        pytest.param("ΣYΣTATIK'A", 0.96, 5.0, G, id="greek capitals with a tonos"),
        pytest.param("AMBPOΣIAL", 0.97, 5.0, F, id="a logo with one greek letter"),
        pytest.param("β-Carotene 5 µg", 0.97, 7.0, F, id="a formula and a unit"),
        pytest.param("2 kΩ", 0.97, 2.0, F, id="ohm"),
        pytest.param("Bo qun nơi khô ráo", 0.99, 6.9, V, id="vietnamese: a horned letter"),
        pytest.param("Thành phūn: nc, đng", 0.94, 7.7, V, id="vietnamese: lost vowels"),
        pytest.param("Thành ph[n: đong", 0.94, 7.7, V, id="vietnamese: a sign for a letter"),
        pytest.param("đurđevak fără", 0.98, 6.0, F, id="croatian, romanian"),
        pytest.param("Cà phê hòa tan", 0.99, 5.2, F, id="vietnamese without own letters"),
        pytest.param("百品品品", 0.77, 2.9, W, id="hangul as han"),
        pytest.param("Crème fraîche épaisse", 0.99, 7.9, F, id="french"),
        pytest.param("Süßstoff 5 kg Nr. 12", 0.99, 9.0, F, id="german abbreviations"),
    ],
)
def test_evidence(text: str, score: float, aspect: float, expected: Evidence) -> None:
    assert evidence(Reading(text, score), aspect=aspect, certainty=0.8) == expected


def test_an_uncertain_box_says_nothing() -> None:
    assert evidence(Reading("", 0.0), aspect=5.0, certainty=0.55) is None


@pytest.mark.parametrize(
    ("lines", "raised"),
    [
        pytest.param([], False, id="no text"),
        pytest.param([None, None], False, id="uncertain boxes alone"),
        pytest.param([F] * 5, False, id="all read"),
        pytest.param([M], True, id="one line, mute"),
        pytest.param([M, F, F], False, id="one mute of three: a logo"),
        pytest.param([M, M, F], True, id="two mute of three"),
        pytest.param([W], False, id="one weak line"),
        pytest.param([W, W], True, id="weak lines alone"),
        pytest.param([W, W, F, F], False, id="weak beside read ones"),
        pytest.param([M, W, F], True, id="a mute and a weak one of three"),
        pytest.param([M, F, None, None], True, id="uncertain boxes do not dilute"),
        pytest.param([G, F, F, F, F, F], True, id="a greek line proves itself"),
        pytest.param([V, F, F, F, F, F], True, id="a vietnamese line proves itself"),
    ],
)
def test_lines_add_up(lines: list[Evidence | None], raised: bool) -> None:
    assert (unsupported_script(lines) is not None) is raised


def test_the_signal_says_how_much_and_which() -> None:
    signal = unsupported_script([G, V, F, F])
    assert signal is not None
    assert (signal.code, signal.field) == ("unsupported_script", "text")
    assert signal.value == 0.5
    assert "greek and vietnamese" in signal.message
