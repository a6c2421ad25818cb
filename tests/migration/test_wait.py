"""Workers wait for the migration: for this release's schema, or for a later one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from packshot.errors import ConfigurationError, DatabaseUnavailable
from packshot.store.engine import open_engine
from tests.support.server import free_ports
from workers.database import migrations, upgrade, wait


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_engine(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    yield made
    made.dispose()


def _stamp(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})


def test_returns_at_once_when_migrated(engine: Engine) -> None:
    _, newest = upgrade(engine)
    assert wait(engine, 0) == newest


def test_goes_on_with_a_later_schema(engine: Engine) -> None:
    upgrade(engine)
    _stamp(engine, "9999")
    assert wait(engine, 0) == "9999"


def test_waits_for_the_migration(engine: Engine) -> None:
    naps: list[float] = []

    def migrate(seconds: float) -> None:
        naps.append(seconds)
        upgrade(engine)

    wait(engine, 60, sleep=migrate)
    assert naps == [1.0]


def _older() -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(migrations()))
    scripts = ScriptDirectory.from_config(config)
    return [one.revision for one in scripts.walk_revisions()][1:]


@pytest.mark.parametrize("revision", [None, *_older()])
def test_says_what_is_missing(engine: Engine, revision: str | None) -> None:
    if revision:
        upgrade(engine)
        _stamp(engine, revision)
    with pytest.raises(ConfigurationError, match=rf"at {revision or 'nothing'}, .*db upgrade"):
        wait(engine, 0)


def test_says_that_the_database_is_away() -> None:
    engine = open_engine(f"postgresql+psycopg://nobody@127.0.0.1:{free_ports(1)[0]}/none")
    with pytest.raises(DatabaseUnavailable):
        wait(engine, 0)
    engine.dispose()
