"""A runner for the tests of what it does."""

from collections.abc import Iterator

import pytest

from models.fake import fake_models
from packshot.fetch import Fetcher
from packshot.fetch import Policy as FetchPolicy
from packshot.routing import Policy
from packshot.settings import Settings
from packshot.store.blobs.memory import MemoryBlobs
from packshot.store.engine import open_engine
from packshot.store.outbox import Outbox
from packshot.store.views import Views
from tasks.services import Services
from tests.support.runner_bench import LEASE, Bench, Flaky


@pytest.fixture
def bench(sqlite_ledger: str) -> Iterator[Bench]:
    engine = open_engine(sqlite_ledger)
    ledger = Flaky(engine, pipeline="test", lease=LEASE, max_attempts=4)
    services = Services(
        settings=Settings.load(),
        ledger=ledger,
        views=Views(engine),
        outbox=Outbox(engine),
        blobs=MemoryBlobs(),
        fetcher=Fetcher(FetchPolicy()),
        models=fake_models(),
        policy=Policy(audit_rate=0.0),
        worker="w1",
    )
    yield Bench(services, ledger)
    engine.dispose()
