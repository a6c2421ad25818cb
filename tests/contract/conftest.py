"""Both databases for the suites of the store."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from packshot.store.engine import open_engine
from tests.support.review_bench import ReviewBench


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def both(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty, migrated ledger: one run of the test over SQLite, one over Postgres."""
    url: str = request.getfixturevalue(f"{request.param}_ledger")
    # Fifty threads claim at once in these suites.
    engine = open_engine(url, pool_size=25)
    yield engine
    engine.dispose()


@pytest.fixture
def bench(both: Engine) -> ReviewBench:
    return ReviewBench(both)
