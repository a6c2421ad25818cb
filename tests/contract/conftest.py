"""Both databases for the suites of the store."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from packshot.store.engine import open_engine
from packshot.store.ledger import Ledger
from tests.support.review_bench import Hand, ReviewBench

#: How long an attempt is believed to live.
LEASE = timedelta(minutes=1)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def both(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty, migrated ledger: one run of the test over SQLite, one over Postgres."""
    url: str = request.getfixturevalue(f"{request.param}_ledger")
    # Fifty threads claim at once in these suites.
    engine = open_engine(url, pool_size=25)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(both: Engine) -> Engine:
    return both


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def ledger(engine: Engine, clock: Hand) -> Ledger:
    """A ledger over each of them, on a clock that the test moves."""
    return Ledger(engine, pipeline="test", lease=LEASE, max_attempts=3, clock=clock)


@pytest.fixture
def bench(both: Engine) -> ReviewBench:
    return ReviewBench(both)
