"""The words of the pages: one catalogue file per language, and how numbers and ages are written."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources

#: The languages of the pages, the first one for whoever asks for none of them.
LANGUAGES = ("en", "zh")
#: What `<html lang>` and the browser's own formats need.
TAGS: Mapping[str, str] = {"en": "en", "zh": "zh-CN"}

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Words:
    """One language."""

    language: str
    catalogue: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The sentence under a key, with its `{names}` filled in. Raises `KeyError`."""
        text = self.catalogue[key]
        return text.format_map(values) if values else text

    def either(self, key: str, otherwise: str) -> str:
        """The sentence under a key, or another where there is none: for codes that may be new."""
        return self.catalogue.get(key, otherwise)

    def problem(self, code: str, sentence: str, **values: object) -> str:
        """An error's sentence. Errors speak the first language themselves, and say more in it."""
        if self.language == LANGUAGES[0]:
            return sentence
        text = self.catalogue.get(f"problem.{code}")
        return text.format_map(values) if text else sentence

    def rule(self, rule: str) -> str:
        """Where a value comes from, such as `lexicon:exact COCA-COLA`, without what was read."""
        code = rule.split(" ", 1)[0]
        return self.either(f"rule.{code.replace(':', '.')}", code)

    def age(self, since: datetime, now: datetime) -> str:
        """How long ago, in one unit."""
        return self.span((now - since).total_seconds())

    def span(self, seconds: float) -> str:
        """A length of time in one unit, never negative."""
        seconds = max(0, int(seconds))
        for unit, size in (("day", _DAY), ("hour", _HOUR), ("minute", _MINUTE)):
            if seconds >= size:
                return self(f"span.{unit}", n=seconds // size)
        return self("span.second", n=seconds)

    def moment(self, at: datetime | None) -> str:
        """A date and time of day in UTC; pages replace it with the reader's own zone."""
        if at is None:
            return "–"
        if self.language == "zh":
            return f"{at.year}年{at.month}月{at.day}日 {at:%H:%M} UTC"
        return f"{at.day} {at:%b %Y, %H:%M} UTC"

    def against(self, value: float, threshold: float) -> str:
        """A probability and the threshold that it missed: never two equal numbers."""
        told, wanted = self.share(value), self.share(threshold)
        return f"{value:.1%} / {threshold:.1%}" if told == wanted else f"{told} / {wanted}"

    def share(self, value: float | None) -> str:
        """A probability as a whole per cent; below 1 % with one place."""
        if value is None:
            return "–"
        return f"{value:.1%}" if 0 < value < 0.01 else f"{value:.0%}"


@cache
def words(language: str) -> Words:
    """The words of a language, or of the first one where it is not known."""
    known = language if language in LANGUAGES else LANGUAGES[0]
    text = (resources.files("packshot.console") / "catalogue" / f"{known}.toml").read_text("utf-8")
    return Words(known, _flat(tomllib.loads(text)))


def preferred(accept: str) -> str:
    """The language of an Accept-Language header that we have, else the first one."""
    for part in accept.split(","):
        language = part.split(";")[0].strip().lower().split("-")[0]
        if language in LANGUAGES:
            return language
    return LANGUAGES[0]


def _flat(table: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = str(value)
    return flat
