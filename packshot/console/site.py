"""What the console works with; an entry point puts it together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from packshot.console.renditions import Renditions
from packshot.console.seals import Seals
from packshot.results import Category
from packshot.store.audit import Audit
from packshot.store.blobs import BlobStore
from packshot.store.insight import Insight
from packshot.store.ledger import Ledger
from packshot.store.people import People
from packshot.store.persons import Role
from packshot.store.review_items import Restart
from packshot.store.reviews import Reviews
from packshot.store.search import Search
from packshot.store.views import Views

if TYPE_CHECKING:
    from datetime import datetime


class Exporter(Protocol):
    """Writes corrections as training data into an empty folder."""

    def __call__(self, format: str, folder: Path, since: "datetime | None") -> int:  # noqa: A002
        """Write; returns how many decisions went in."""


def nothing_to_restart(restart: Restart) -> None:
    """For a console without a broker: the reconciler publishes what was corrected."""
    del restart


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What pickers offer: the classifier's categories and the names of known brands."""

    categories: tuple[Category, ...] = ()
    brands: tuple[str, ...] = ()

    def search(self, text: str, limit: int = 30) -> tuple[Category, ...]:
        """Categories whose Chinese or English name has every word of `text`, best first."""
        words = text.casefold().split()

        def hits() -> Iterator[tuple[tuple[bool, bool, int], Category]]:
            for one in self.categories:
                names = f"{one.en} {one.zh}".casefold()
                if all(word in names for word in words):
                    starts = any(
                        name.casefold().startswith(words[0]) for name in (one.en, one.zh) if words
                    )
                    yield (not starts, not one.product, len(one.en)), one

        return tuple(one for _, one in sorted(hits(), key=lambda hit: hit[0])[:limit])

    def category(self, number: int) -> Category | None:
        """The category of a class number."""
        return next((one for one in self.categories if one.id == number), None)


@dataclass(frozen=True, slots=True)
class Site:
    """Everything the routes use. Thread-safe, as its parts are."""

    people: People
    reviews: Reviews
    views: Views
    ledger: Ledger
    audit: Audit
    insight: Insight
    search: Search
    blobs: BlobStore
    pictures: Renditions
    export: Exporter
    catalogue: Catalogue = field(default_factory=Catalogue)
    seals: Seals = field(default_factory=Seals.fresh)
    #: The least role that may accept many items at once; the policy says it.
    bulk_role: Callable[[], Role] = lambda: Role.REVIEWER
    #: Publishes a corrected or retried job at once.
    restart: Callable[[Restart], None] = nothing_to_restart
