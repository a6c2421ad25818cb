"""Numbers and codes in the words of a person."""

import pytest

from packshot import errors
from packshot.results import Signal
from packshot.routing import REVIEW_SIGNALS
from workers.report import words


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 KB"), (214_400, "214 KB"), (1_349_000, "1.3 MB")],
    ids=["nothing", "bytes", "just kilo", "kilo", "mega"],
)
def test_size(count: int, shown: str) -> None:
    assert words.size_name(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0084, "8 ms"),
        (0.0999, "0.10 s"),
        (9.949, "9.95 s"),
        (9.96, "10.0 s"),
        (119.4, "119.4 s"),
        (119.6, "2 min 00 s"),
        (245.2, "4 min 05 s"),
    ],
    ids=["milliseconds", "tenth", "two digits", "ten", "seconds", "rounds up", "minutes"],
)
def test_seconds(seconds: float, shown: str) -> None:
    assert words.seconds_name(seconds) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.0, "0%"), (0.001, "<1%"), (0.853, "85%"), (0.999, "99%"), (1.0, "100%")],
    ids=["none", "a trace", "plain", "nearly all", "all"],
)
def test_percent_never_claims_all_or_nothing(share: float, shown: str) -> None:
    assert words.percent(share) == shown


@pytest.mark.parametrize(
    ("value", "threshold", "shown", "bar"),
    [
        (0.153, 0.85, "15%, threshold 85%", True),
        (2.0, 1.0, "2, threshold 1", False),
        (0.0, 1.0, "0, threshold 1", False),
        (12.34, 20.0, "12.3, threshold 20", False),
        (430.0, 1500.0, "430, threshold 1,500", False),
    ],
    ids=["shares", "count", "count of none", "measure", "pixels"],
)
def test_compared_numbers(value: float, threshold: float, shown: str, *, bar: bool) -> None:
    reason = Signal(code="any", message="", value=value, threshold=threshold)
    assert words.compared(reason) == shown
    assert words.are_shares(reason) is bar


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        ("lexicon:exact 优加", "known name “优加”"),
        ("lexicon:fuzzy=Coca", "known name, misread letters “Coca”"),
        ("label", "label in print"),
        ("something new", "something new"),
    ],
    ids=["with spelling", "with sign", "alone", "unknown"],
)
def test_rules(rule: str, shown: str) -> None:
    assert words.rule_name(rule) == shown


def test_every_final_error_says_what_to_do() -> None:
    final = {
        one.code
        for one in _descendants(errors.PackshotError)
        # What a reviewer is refused never ends a job.
        if not _descendants(one) and not issubclass(one, (errors.Fenced, errors.Refused))
    }
    assert final <= words.ADVICE.keys()


def test_every_rule_that_sends_to_review_has_a_name() -> None:
    assert words.REASONS.keys() >= REVIEW_SIGNALS


def test_an_unknown_reason_is_spelled_out() -> None:
    assert words.reason_name("label_upside_down") == "Label upside down"


def _descendants(kind: type[errors.PackshotError]) -> set[type[errors.PackshotError]]:
    # Other tests define errors of their own.
    children = {one for one in kind.__subclasses__() if one.__module__ == errors.__name__}
    return children.union(*map(_descendants, children))
