"""Putting the console together: it knows no worker, so what it needs from here is handed in."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from models.recognition.categories import Categories
from models.recognition.lexicon import Lexicon
from packshot.console.renditions import Renditions
from packshot.console.seals import Seals
from packshot.console.site import Catalogue, Exporter, Site
from packshot.export.pixels import Pixels
from packshot.export.run import export
from packshot.imaging.decode import Limits
from packshot.results import Category
from packshot.settings import Settings
from packshot.store.audit import Audit
from packshot.store.blobs import BlobStore
from packshot.store.examples import Examples
from packshot.store.insight import Insight
from packshot.store.people import People
from packshot.store.persons import Role
from packshot.store.review_items import Restart
from packshot.store.search import Search
from packshot.store.views import Views
from workers.services import open_ledger, open_policy, open_reviews, open_store


def build_site(settings: Settings, engine: Engine, restart: Callable[[Restart], None]) -> Site:
    """Everything the console works with; `restart` publishes a corrected or retried job."""
    blobs = open_store(settings)
    reviews = open_reviews(settings, engine)
    policy = open_policy(settings)
    limits = Limits(max_bytes=settings.max_bytes, max_pixels=settings.max_pixels)
    secret = settings.console_secret
    return Site(
        people=People(engine),
        reviews=reviews,
        views=Views(engine),
        ledger=open_ledger(settings, engine),
        audit=Audit(engine),
        insight=Insight(engine),
        search=Search(engine),
        blobs=blobs,
        pictures=Renditions(blobs, limits),
        export=_exporter(Examples(engine), blobs, limits),
        catalogue=catalogue(),
        seals=Seals(secret.get_secret_value().encode()) if secret else Seals.fresh(),
        restart=restart,
        bulk_role=lambda: Role(policy.current().bulk_accept),
    )


def catalogue() -> Catalogue:
    """The classifier's classes and the brands that Packshot knows."""
    return Catalogue(
        categories=tuple(
            Category(id=one.id, en=one.en, zh=one.zh, probability=0.0, product=one.product)
            for one in Categories.default()
        ),
        brands=tuple(sorted(brand.name for brand in Lexicon.default().brands)),
    )


def _exporter(examples: Examples, blobs: BlobStore, limits: Limits) -> Exporter:
    def run(format: str, folder: Path, since: datetime | None) -> int:  # noqa: A002
        pixels = Pixels(blobs, limits)
        return export(examples.each(since=since), format, folder, pixels).written

    return run
