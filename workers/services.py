"""Building what the stages work with, from the settings."""

from collections.abc import Collection
from datetime import timedelta

from packshot.store.blobs import BlobStore, open_blobs
from sqlalchemy import Engine

from models.bundle import Models, load
from models.registry import Registry
from packshot.contract import Step
from packshot.fetch import Fetcher
from packshot.routing import Policy
from packshot.settings import Settings
from packshot.store.engine import open_engine
from packshot.store.ledger import Ledger
from packshot.store.outbox import Outbox
from packshot.store.views import Views
from packshot.summary import PIPELINE
from tasks.services import Services


def build(settings: Settings, models: Models, *, connections: int = 5) -> Services:
    """Open the database pool and the object store; nothing is connected before its first use."""
    engine = open_engine(settings.ledger_url, pool_size=connections)
    blobs = open_store(settings)
    return Services(
        settings=settings,
        ledger=open_ledger(settings, engine),
        views=Views(engine),
        outbox=Outbox(engine),
        blobs=blobs,
        fetcher=Fetcher(),
        models=models,
        policy=Policy(
            thresholds=dict.fromkeys(("text", "category", "matte"), settings.review_threshold),
            audit_rate=settings.audit_rate,
        ),
    )


def open_ledger(settings: Settings, engine: Engine) -> Ledger:
    """The ledger of this installation."""
    return Ledger(
        engine,
        pipeline=PIPELINE,
        lease=timedelta(seconds=settings.lease_seconds),
        max_attempts=settings.max_attempts,
    )


def open_store(settings: Settings) -> BlobStore:
    """The object store of this installation."""
    return open_blobs(
        settings.blobs_url,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        access_key=settings.s3_access_key.get_secret_value() if settings.s3_access_key else None,
        secret_key=settings.s3_secret_key.get_secret_value() if settings.s3_secret_key else None,
    )


def load_models(settings: Settings, steps: Collection[Step]) -> Models:
    """Load and warm the models of `steps`. Raises `ModelMissing` when weights are not pulled."""
    return load(Registry(settings.models), steps, threads=settings.threads, device=settings.device)
