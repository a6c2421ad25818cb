"""The error tree: codes, outcomes, and the drawing in the module's docstring."""

import re
from collections.abc import Iterator

import pytest

from packshot import errors
from packshot.errors import Outcome, PackshotError


def tree(error: type[PackshotError], depth: int = 0) -> Iterator[tuple[int, type[PackshotError]]]:
    yield depth, error
    for one in error.__subclasses__():
        if one.__module__ == errors.__name__:
            yield from tree(one, depth + 1)


TREE = list(tree(PackshotError))
CLASSES = [error for _, error in TREE]


def drawn() -> list[tuple[int, str, str]]:
    """Depth, class and the first word behind it of every line of the drawing."""
    return [
        (len(bars) // 4 + 1, name, word)
        for bars, name, word in re.findall(
            r"^((?:│   )*)[├└]── (\w+)\s+(\w+)", errors.__doc__ or "", re.MULTILINE
        )
    ]


def test_the_drawing_is_the_tree() -> None:
    assert (errors.__doc__ or "").splitlines()[2] == "PackshotError"
    assert [(depth, name) for depth, name, _ in drawn()] == [
        (depth, error.__name__) for depth, error in TREE[1:]
    ]


def test_the_drawing_names_the_codes_of_the_leaves() -> None:
    codes = {error.__name__: error.code for error in CLASSES}
    for depth, name, word in drawn():
        if depth > 1:
            assert codes[name] == word


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_every_class_says_what_it_is(error: type[PackshotError]) -> None:
    assert "code" in vars(error), "a code of its own"
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)
    assert isinstance(error.outcome, Outcome)
    assert error.__doc__
    assert error.__doc__.splitlines()[0].endswith((".", ":"))


def test_no_code_is_taken_twice() -> None:
    codes = [error.code for error in CLASSES]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        pytest.param(errors.InvalidMessage, Outcome.REJECT, id="invalid message"),
        pytest.param(errors.Conflict, Outcome.REJECT, id="conflict"),
        pytest.param(errors.CorruptImage, Outcome.REJECT, id="corrupt image"),
        pytest.param(errors.StorageUnavailable, Outcome.RETRY, id="storage"),
        pytest.param(errors.DatabaseUnavailable, Outcome.RETRY, id="database"),
        pytest.param(errors.SourceUnavailable, Outcome.RETRY, id="source"),
        pytest.param(errors.OutOfMemory, Outcome.FAIL, id="memory"),
        pytest.param(errors.ModelMissing, Outcome.FAIL, id="model"),
        pytest.param(errors.Poison, Outcome.FAIL, id="poison"),
        pytest.param(errors.ConfigurationError, Outcome.RETRY, id="configuration"),
        pytest.param(errors.Fenced, Outcome.DROP, id="fenced"),
        pytest.param(PackshotError, Outcome.FAIL, id="bug"),
    ],
)
def test_the_class_decides_what_happens(error: type[PackshotError], outcome: Outcome) -> None:
    assert error("a sentence").outcome is outcome
    assert str(error("a sentence")) == "a sentence"
