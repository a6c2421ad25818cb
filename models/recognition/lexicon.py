"""Known brands: their names in several scripts, and how to find one by a key."""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any

from models.recognition.words import confusable, joined
from packshot.errors import ConfigurationError

#: Letters from which on a misread Latin name is looked for: shorter ones have other words as
#: neighbours.
FUZZY_FROM = 7

#: Keys that a row of brands.toml may have.
_FIELDS = frozenset({"name", "zh", "aliases", "common", "never", "unlike", "parent"})


@dataclass(frozen=True, slots=True)
class Brand:
    """One brand. `name` is what results carry; `zh` its Chinese name, `parent` the house's name."""

    name: str
    zh: str | None
    sector: str
    parent: str | None
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alias:
    """One spelling of a brand.

    `key` is the spelling without spaces and case, `words` how many words it has. A `common` one
    is also a word of everyday language ("Tide", "美的").
    """

    brand: Brand
    text: str
    key: str
    words: int
    common: bool

    @property
    def chinese(self) -> bool:
        """Whether the spelling is in Chinese characters."""
        return self.key >= "\u3400"


class Lexicon:
    """All known brands. Immutable; share one between threads."""

    def __init__(self, aliases: Iterable[Alias], ordinary: Iterable[str] = ()) -> None:
        """Index the spellings; `ordinary` are single words that name no brand."""
        every = tuple(aliases)
        self._exact: dict[str, Alias] = {}
        self._folded: dict[str, Alias] = {}
        for alias in every:
            known = self._exact.setdefault(alias.key, alias)
            if known.brand is not alias.brand:
                raise ConfigurationError(
                    f"brands.toml gives {alias.text!r} to both {known.brand.name} and "
                    f"{alias.brand.name}: leave it with one."
                )
            self._folded.setdefault(confusable(alias.key), alias)
        self._brands = {alias.brand.name: alias.brand for alias in every}
        for brand in self._brands.values():
            if brand.parent is not None and brand.parent not in self._brands:
                raise ConfigurationError(
                    f"brands.toml gives {brand.name} the parent {brand.parent!r}, which has no row."
                )
        self._misreadable: dict[tuple[str, int], list[tuple[str, Alias]]] = defaultdict(list)
        self._chinese: dict[int, list[Alias]] = defaultdict(list)
        for alias in every:
            if alias.chinese and not alias.common:
                self._chinese[len(alias.key)].append(alias)
            elif len(alias.key) >= FUZZY_FROM and not alias.common:
                target = confusable(alias.key)
                self._misreadable[target[0], len(target)].append((target, alias))
        self.ordinary = frozenset(joined(word) for word in ordinary)
        self.longest_chinese = max((len(a.key) for a in every if a.chinese), default=0)

    @classmethod
    def default(cls) -> "Lexicon":
        """The brands that ship with Packshot."""
        return cls.parse(resources.files("models").joinpath("data/brands.toml").read_text("utf-8"))

    @classmethod
    def parse(cls, text: str) -> "Lexicon":
        """Read a TOML table of sectors, each a list of brands; the shipped file says which keys.

        Raises:
            ConfigurationError: the text is no such table, or a spelling has two owners.
        """
        try:
            table = tomllib.loads(text)
            rows = [(sector, MappingProxyType(row)) for sector in table for row in table[sector]]
            return cls(
                [alias for sector, row in rows for alias in _aliases(sector, row)],
                [word for _, row in rows for word in row.get("unlike", ())],
            )
        except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ConfigurationError(
                f"brands.toml cannot be read ({error}): compare it with the shipped file."
            ) from error

    @property
    def brands(self) -> tuple[Brand, ...]:
        """Every brand, in the file's order."""
        return tuple(self._brands.values())

    def brand(self, name: str) -> Brand | None:
        """The brand with this canonical name."""
        return self._brands.get(name)

    def exact(self, key: str) -> Alias | None:
        """The spelling with exactly this key."""
        return self._exact.get(key)

    def folded(self, key: str) -> Alias | None:
        """The spelling that differs from this key by easily confused characters alone."""
        return self._folded.get(confusable(key))

    def misreadable(self, first: str, length: int) -> Sequence[tuple[str, Alias]]:
        """Long Latin spellings with this first letter and length, with their folded keys."""
        return self._misreadable.get((first, length), ())

    def chinese_of_length(self, length: int) -> Sequence[Alias]:
        """Chinese spellings of this length that are no everyday words."""
        return self._chinese.get(length, ())


def _aliases(sector: str, row: Mapping[str, Any]) -> Iterable[Alias]:
    unknown = set(row) - _FIELDS
    if unknown:
        raise ConfigurationError(f"brands.toml has unknown keys {sorted(unknown)} in {dict(row)}.")
    common, never = frozenset(row.get("common", ())), frozenset(row.get("never", ()))
    listed = (row["name"], *filter(None, (row.get("zh"),)), *row.get("aliases", ()), *common)
    spellings = tuple(text for text in dict.fromkeys(listed) if text not in never)
    brand = Brand(row["name"], row.get("zh"), sector, row.get("parent"), spellings)
    for text in spellings:
        key = joined(text)
        if not key:
            raise ConfigurationError(f"brands.toml has a name without letters: {text!r}.")
        yield Alias(brand, text, key, len(text.split()), text in common)
