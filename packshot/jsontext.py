"""What JSON can say and a database or another parser cannot take: refused at the door.

A NUL character, half of a surrogate pair and a number that is not finite have no place in a JSON
column; a field that is named twice means one thing to one parser and another to the next.
"""

import json
import re
import sys
from typing import Any

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def escaped(text: str, limit: int) -> str:
    """Return foreign text fit for a log, a header and a database: one line, at most `limit` long.

    Control characters and lone surrogates are written as `\\x00` and `\\ud800`.
    """
    return _CONTROL.sub(_escape, text[:limit])[:limit]


def storable(value: Any) -> Any:
    """Return a JSON value as it is. Raises `ValueError` where a JSON column could not take it."""
    if isinstance(value, dict):
        for name, one in value.items():
            _check(name)
            storable(one)
    elif isinstance(value, list | tuple):
        for one in value:
            storable(one)
    else:
        _check(value)
    return value


def _check(value: Any) -> None:
    if isinstance(value, str) and _UNSTORABLE.search(value):
        raise ValueError("NUL characters and lone surrogates are not allowed")
    # A whole number is held to the range of a double as well: one database gives 1e300 back as a
    # whole number of 301 digits.
    if isinstance(value, float | int) and not abs(value) <= sys.float_info.max:
        raise ValueError("numbers must be finite, and within the range of a double")


def names_once(body: bytes | str) -> None:
    """Raise `ValueError` where an object of a valid JSON document names a field twice."""
    json.loads(body, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{escaped(name, 64)}: the field is there twice")
        found[name] = value
    return found


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
