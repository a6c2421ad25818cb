"""The migrations build what the code expects, and the previous release can live with it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Engine, MetaData, Table, inspect, text

from packshot.contract import Image, Job, Step
from packshot.identity import uuid7
from packshot.store.engine import open_engine
from packshot.store.ledger import Ledger, Outcome, Verdict
from packshot.store.review_items import Filters
from packshot.store.reviews import Reviews
from packshot.store.tables import Base, ReviewRow
from workers.database import migrations, upgrade

#: What the release before writes when it puts an item into the queue.
COLUMNS_OF_0001 = ("id", "job", "status", "lane", "reasons", "confidence", "created_at")

JOB = Job(version=1, source="tests", job_id="one", image=Image(uri="s3://in/1.jpg"))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    else:
        engine = open_engine(request.getfixturevalue("postgres"))
    yield engine
    engine.dispose()


def script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(migrations()))
    return ScriptDirectory.from_config(config)


# The index over the words of a job is Postgres's alone; there it is compared.
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based")
def test_the_migrated_schema_is_the_one_in_the_code(engine: Engine) -> None:
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    before, head = upgrade(engine)
    assert before is None
    assert upgrade(engine) == (head, head)


def test_there_is_one_head_and_the_numbers_have_no_gap() -> None:
    revisions = [one.revision for one in script().walk_revisions()]
    assert revisions == [f"{number:04}" for number in range(len(revisions), 0, -1)]


def test_every_migration_can_be_taken_back(engine: Engine) -> None:
    upgrade(engine)
    config = Config()
    config.set_main_option("script_location", str(migrations()))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    upgrade(engine)
    assert "jobs" in inspect(engine).get_table_names()


def test_a_ledger_in_use_can_be_upgraded(engine: Engine) -> None:
    """A worker that has a step open when the migration runs commits it afterwards."""
    upgrade(engine)
    ledger = Ledger(engine, pipeline="old")
    row = ledger.submit(JOB).id
    ticket = ledger.begin(row, Step.PREPARE, worker="old")
    upgrade(engine)
    ledger.commit(ticket, Outcome({}))
    assert ledger.begin(row, Step.OCR, worker="new").verdict is Verdict.RUN


def test_the_release_before_fills_the_new_queue(engine: Engine) -> None:
    """Its INSERT names the columns of 0001 alone; this release finds the item and completes it."""
    upgrade(engine)
    row = Ledger(engine, pipeline="old").submit(JOB).id
    old = Table(
        "reviews",
        MetaData(),
        *(Column(name, ReviewRow.__table__.c[name].type) for name in COLUMNS_OF_0001),
    )
    with engine.begin() as connection:
        connection.execute(
            old.insert().values(
                id=uuid7(),
                job=row,
                status="open",
                lane="bulk",
                reasons=[{"code": "blurred", "message": "It is blurred."}],
                confidence=0.5,
                created_at=datetime.now(UTC),
            )
        )
    reviews = Reviews(engine)
    (item,) = reviews.page().items
    assert (item.job, item.version, item.due_at.tzinfo) == (row, 0, UTC)
    reviews.expire()
    (item,) = reviews.page(Filters(reason="blurred", source="tests")).items
    assert item.job == row


@pytest.mark.services
def test_two_migrations_at_once_wait_for_each_other(postgres: str) -> None:
    jobs = [
        subprocess.Popen(
            (sys.executable, "-m", "packshot", "db", "upgrade"),
            env={**os.environ, "PACKSHOT_DATABASE_URL": postgres},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for _ in range(3)
    ]
    said = [job.communicate(timeout=60)[0].decode() for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0, 0], said
    engine = open_engine(postgres)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    engine.dispose()
