"""Building what the stages work with, from the settings."""

from collections.abc import Collection
from datetime import timedelta
from urllib.parse import urlsplit

import cv2
from pydantic import SecretStr
from sqlalchemy import Engine

from models.batcher import BatchRun
from models.bundle import Batching, Models, load
from models.registry import Registry
from packshot import metrics
from packshot.contract import Step
from packshot.fetch import Fetcher
from packshot.fetch import Policy as FetchPolicy
from packshot.policy import PolicyFile, declared
from packshot.routing import Policy, PolicySource
from packshot.settings import Settings
from packshot.store.blobs import BlobStore, MeteredBlobs, open_blobs
from packshot.store.blobs.factory import open_buckets
from packshot.store.engine import open_engine
from packshot.store.flight import Flight, NoFlight
from packshot.store.ledger import Ledger
from packshot.store.outbox import Outbox
from packshot.store.reviews import Reviews
from packshot.store.views import Views
from packshot.summary import PIPELINE
from tasks.services import Services
from workers.monitoring import open_tracing


def connections_for(concurrency: int) -> int:
    """Pool of a worker's process: its steps, and the threads for leases, events and the intake."""
    return concurrency + 3


def build(settings: Settings, models: Models, *, worker: str, connections: int = 5) -> Services:
    """Open the database pool and the object store; nothing is connected before its first use."""
    _limit_threads(settings)
    engine = open_engine(settings.ledger_url, pool_size=connections)
    blobs = MeteredBlobs(open_store(settings))
    return Services(
        settings=settings,
        ledger=open_ledger(settings, engine),
        views=Views(engine),
        outbox=Outbox(engine),
        blobs=blobs,
        fetcher=open_fetcher(settings),
        models=models,
        worker=worker,
        policy=open_policy(settings),
        flight=open_flight(settings),
        reviews=open_reviews(settings, engine),
        tracing=open_tracing(settings, worker),
    )


def open_policy(settings: Settings) -> PolicySource:
    """What goes to a person: the settings, and the policy's file where there is one.

    Raises `ConfigurationError` for a file that is wrong.
    """
    base = base_policy(settings)
    return PolicyFile(settings.policy, base) if settings.policy else declared(base)


def base_policy(settings: Settings) -> Policy:
    """The policy of the settings alone."""
    return Policy(
        thresholds={
            "text": settings.review_text,
            "category": settings.review_category,
            "matte": settings.review_matte,
        },
        audit_rate=settings.audit_rate,
    )


def open_ledger(settings: Settings, engine: Engine) -> Ledger:
    """The ledger of this installation."""
    return Ledger(
        engine,
        pipeline=PIPELINE,
        lease=timedelta(seconds=settings.lease_seconds),
        max_attempts=settings.max_attempts,
    )


def open_reviews(settings: Settings, engine: Engine) -> Reviews:
    """The review queue of this installation."""
    return Reviews(engine, lease=timedelta(seconds=settings.review_lease_seconds))


def open_flight(settings: Settings) -> Flight:
    """Redis where there is one, so that equal photos are computed once; else nothing."""
    if settings.redis_url is None:
        return NoFlight()
    from packshot.store.redis_flight import RedisFlight

    return RedisFlight(settings.redis_url.get_secret_value())


def open_store(settings: Settings) -> BlobStore:
    """The object store of this installation."""
    return open_blobs(
        settings.blobs_url,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        access_key=_plain(settings.s3_access_key),
        secret_key=_plain(settings.s3_secret_key),
    )


def open_fetcher(settings: Settings) -> Fetcher:
    """What reads the photos that messages name: our own bucket, and those in the settings."""
    buckets = None
    own = urlsplit(settings.blobs_url)
    allowed = (*settings.source_buckets, *((own.netloc,) if own.scheme == "s3" else ()))
    if allowed:
        buckets = open_buckets(
            endpoint=settings.s3_endpoint,
            region=settings.s3_region,
            access_key=_plain(settings.s3_access_key),
            secret_key=_plain(settings.s3_secret_key),
        )
    policy = FetchPolicy(
        max_bytes=settings.max_bytes,
        deadline_s=settings.fetch_seconds,
        allow_http=settings.allow_http,
        allow_files=settings.allow_files,
        allowed_buckets=allowed,
        private_hosts=settings.private_hosts,
    )
    return Fetcher(policy, buckets)


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def load_models(settings: Settings, steps: Collection[Step], *, callers: int = 1) -> Models:
    """Load and warm the models of `steps`, which `callers` threads will run at once.

    Raises `ModelMissing` when weights are not pulled.
    """
    _limit_threads(settings)
    return load(
        Registry(settings.models),
        steps,
        threads=settings.threads,
        device=settings.device,
        callers=callers,
        fine=settings.fine_matting,
        batching=Batching(settings.batch_size, settings.batch_wait, _observe_batch),
    )


def _limit_threads(settings: Settings) -> None:
    """Keep OpenCV to the threads of a model.

    Left alone it has a thread for each core in every process; they wait for work with their eyes
    open, and take time from the steps that run beside this one.
    """
    cv2.setNumThreads(settings.threads)


def _observe_batch(model: str, run: BatchRun) -> None:
    metrics.observe_batch(model, run.size)
