"""How texts are cut into words to search by."""

import pytest

from packshot.words import MOST_CHARS, MOST_WORDS, terms_of, words_of


@pytest.mark.parametrize(
    ("text", "words", "terms"),
    [
        pytest.param(
            "ABC-123_front.JPG", "abc 123 front jpg", ("abc", "123", "front", "jpg"), id="name"
        ),
        pytest.param("大白兔", "大白 白兔 兔", ("大白", "白兔"), id="chinese"),
        pytest.param("茶", "茶", ("茶",), id="one character"),
        pytest.param(
            "Oolong乌龙茶500ml",
            "oolong 乌龙 龙茶 茶 500ml",
            ("oolong", "乌龙", "龙茶", "500ml"),
            id="mixed",
        ),
        pytest.param("Ｃａｆé", "café", ("café",), id="wide letters"),
        pytest.param("Straße STRASSE", "strasse", ("strasse",), id="folded"),
        pytest.param("'; -- %_\\ \x00", "", (), id="signs alone"),
        pytest.param("", "", (), id="nothing"),
    ],
)
def test_cutting(text: str, words: str, terms: tuple[str, ...]) -> None:
    assert words_of([text]) == words
    assert terms_of(text) == terms


def test_every_run_of_characters_is_found_by_its_beginning() -> None:
    kept = words_of(["有机绿茶礼盒"]).split()
    for query in ("有", "绿", "盒", "绿茶", "机绿茶", "有机绿茶礼盒"):
        assert all(any(word.startswith(term) for word in kept) for term in terms_of(query)), query


def test_words_are_kept_once_and_not_without_end() -> None:
    assert words_of(["a b", "b a"]) == "a b"
    assert len(words_of([" ".join(map(str, range(5000)))]).split()) == MOST_WORDS
    assert words_of(["x" * 5000]) == "x" * MOST_CHARS
