"""Both databases for the suites of the store."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from packshot.store.engine import open_engine
from tests.support.review_bench import ReviewBench
from workers.database import upgrade


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty, migrated ledger: one run of the test over SQLite, one over Postgres."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    else:
        url = request.getfixturevalue("postgres")
    # Fifty threads claim at once in these suites.
    engine = open_engine(url, pool_size=25)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def bench(both: Engine) -> ReviewBench:
    return ReviewBench(both)
