"""The words of the pages: both languages say the same things."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from packshot.console.answers import STATUS
from packshot.console.words import LANGUAGES, preferred, words
from packshot.store.review_items import Decision, RejectReason
from packshot.store.tables import JobStatus, StepStatus

ROOT = Path(__file__).parents[2]


def test_every_language_has_every_key_and_the_same_names_in_it() -> None:
    first, *others = (words(language).catalogue for language in LANGUAGES)
    for other in others:
        # Errors speak the first language by themselves.
        assert first.keys() == {key for key in other if not key.startswith("problem.")}
        for key, text in first.items():
            names = re.findall(r"{(\w+)}", text)
            assert sorted(names) == sorted(re.findall(r"{(\w+)}", other[key])), key


def test_every_code_has_words() -> None:
    known = words("en").catalogue
    wanted = [f"reject.{one}" for one in RejectReason]
    wanted += [f"decision.{one}" for one in Decision] + [f"script.{one}" for one in Decision]
    wanted += [f"status.{one}" for one in (*JobStatus, *StepStatus)]
    assert [key for key in wanted if key not in known] == []


def test_every_signal_has_words() -> None:
    """Any of them may become a reason: the policy says which."""
    known = words("en").catalogue
    codes = {f"{field}_unsure" for field in ("text", "category", "brand", "model", "matte")}
    for folder in ("packshot", "models", "tasks"):
        for path in (ROOT / folder).rglob("*.py"):
            codes |= set(re.findall(r"""Signal\(\s*code="(\w+)""", path.read_text("utf-8")))
    assert {"audit", "too_dark", "empty_matte"} < codes
    assert [c for c in sorted(codes) if f"reason.{c}" not in known] == []
    assert [c for c in sorted(codes) if f"reason_short.{c}" not in known] == []


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_error_that_a_page_can_show_has_a_sentence(language: str) -> None:
    known = words(language).catalogue
    codes = {kind.code for kind, _status in STATUS} | {"sign_in_needed", "invalid_request"}
    assert [code for code in sorted(codes) if f"problem.{code}" not in known] == []


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("lexicon:exact COCA COLA", "the list of brands"),
        ("label", "a label beside it"),
        ("newer rule", "newer"),
    ],
)
def test_where_a_value_comes_from(rule: str, told: str) -> None:
    assert words("en").rule(rule) == told


@pytest.mark.parametrize(
    ("accept", "language"),
    [("zh-CN,zh;q=0.9", "zh"), ("en-GB", "en"), ("fr,zh;q=0.5", "zh"), ("", "en"), ("fr", "en")],
)
def test_the_browsers_language(accept: str, language: str) -> None:
    assert preferred(accept) == language


@pytest.mark.parametrize(
    ("language", "seconds", "text"),
    [("en", 59, "59 s"), ("en", 3600, "1 h"), ("zh", 86400 * 3, "3 天"), ("en", -5, "0 s")],
)
def test_spans(language: str, seconds: float, text: str) -> None:
    assert words(language).span(seconds) == text


def test_a_missed_threshold_never_looks_reached() -> None:
    assert words("en").against(0.926, 0.93) == "92.6% / 93.0%"
    assert words("en").against(0.2, 0.5) == "20% / 50%"


def test_moments() -> None:
    at = datetime(2026, 11, 7, 4, 5, tzinfo=UTC)
    assert words("en").moment(at) == "7 Nov 2026, 04:05 UTC"
    assert words("zh").moment(at) == "2026年11月7日 04:05 UTC"
