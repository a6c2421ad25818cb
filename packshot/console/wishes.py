"""What a queue's address may ask for, as filters."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query

from packshot.contract import Lane
from packshot.store.persons import Person
from packshot.store.review_items import Filters

_Short = Annotated[str, Query(max_length=256)]


@dataclass(frozen=True, slots=True)
class Wish:
    """The query of a queue page: filters as text, so that links can carry them on."""

    reason: str = ""
    lane: str = ""
    category: str = ""
    sku: str = ""
    source: str = ""
    older: str = ""
    below: str = ""
    held: str = ""

    def query(self, **other: str | None) -> str:
        """These filters as a query string, with some of them replaced; empty ones left out."""
        values = {name: getattr(self, name) for name in self.__slots__} | other
        text = urlencode({name: value for name, value in values.items() if value})
        return f"?{text}" if text else ""

    @property
    def narrow(self) -> bool:
        """Whether anything is filtered."""
        return any(getattr(self, name) for name in self.__slots__)

    def filters(self, who: Person) -> Filters:
        """The store's filters. What is no number or lane is passed over, as in any search."""
        minutes, below = _number(self.older), _number(self.below)
        return Filters(
            reason=self.reason or None,
            lane=Lane(self.lane) if self.lane in tuple(Lane) else None,
            category=int(self.category) if self.category.isdecimal() else None,
            sku=self.sku or None,
            source=self.source or None,
            older_than=timedelta(minutes=minutes) if minutes is not None else None,
            confidence_below=below / 100 if below is not None else None,
            held_by=who.id if self.held == "me" else None,
            with_held=self.held == "all",
        )

    def offer(self, who: Person) -> Filters:
        """The filters of what somebody gets next: without what they have skipped."""
        return replace(self.filters(who), offered_to=who.id)


def wish(
    reason: _Short = "",
    lane: _Short = "",
    category: _Short = "",
    sku: _Short = "",
    source: _Short = "",
    older: _Short = "",
    below: _Short = "",
    held: _Short = "",
) -> Wish:
    """Read the query: `older` in minutes, `below` in per cent, `held` "me" or "all"."""
    return Wish(reason, lane, category[:6], sku, source, older, below, held)


WishOf = Annotated[Wish, Depends(wish)]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e7 else None
