"""Foreign text made fit for a log, and JSON values that a database cannot take."""

from typing import Any

import pytest

from packshot.jsontext import escaped, names_once, storable


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("旺仔 🥛", "旺仔 🥛", id="chinese"),
        pytest.param("a\0b", r"a\x00b", id="nul"),
        pytest.param("a\r\nb", r"a\x0d\x0ab", id="newline"),
        pytest.param("\x7f", r"\x7f", id="delete"),
        pytest.param("\ud800", r"\ud800", id="surrogate"),
        pytest.param("a" * 30, "a" * 20, id="long"),
        pytest.param("\0" * 30, r"\x00" * 5, id="long once escaped"),
        pytest.param("", "", id="empty"),
    ],
)
def test_foreign_text_becomes_one_storable_line(text: str, told: str) -> None:
    assert escaped(text, 20) == told
    assert storable(told) == told


def test_what_is_storable_comes_back_as_it_is() -> None:
    value = {"a": [1, 2.5, None, True, "x\ny", {"": []}], "b": -(2**63)}
    assert storable(value) is value


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("\0", id="nul"),
        pytest.param("\udfff", id="surrogate"),
        pytest.param({"a\0": 1}, id="nul in a name"),
        pytest.param([{"a": ["\0"]}], id="deep"),
        pytest.param((1, float("nan")), id="nan"),
        pytest.param(float("inf"), id="infinity"),
        pytest.param(-(10**309), id="beyond a double"),
    ],
)
def test_what_is_not_storable_is_an_error(value: Any) -> None:
    with pytest.raises(ValueError, match=r"allowed|finite"):
        storable(value)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        pytest.param('{"a": 1, "a": 1}', "a", id="top"),
        pytest.param('[{"b": {"c": 1, "d": 2, "c": 3}}]', "c", id="inside"),
        pytest.param(b'{"a\\u0000": 1, "a\\u0000": 2}', r"a\x00", id="escaped"),
    ],
)
def test_a_field_may_be_there_once(body: str | bytes, name: str) -> None:
    with pytest.raises(ValueError, match="there twice") as refusal:
        names_once(body)
    assert str(refusal.value).startswith(f"{name}: ")


def test_the_same_name_in_two_objects_is_no_repetition() -> None:
    names_once('{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}')
