"""Migrating the ledger."""

import time
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from packshot.errors import ConfigurationError, DatabaseUnavailable
from packshot.store.engine import translated


def migrations() -> Path:
    """The folder of the migrations: beside the packages in a checkout, inside them in a wheel."""
    here = Path(__file__).resolve().parent
    for folder in (here / "migrations", here.parent / "migrations"):
        if (folder / "env.py").exists():
            return folder
    raise ConfigurationError("The migrations are not installed with this package.")


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Bring the ledger to this release's schema; returns the revisions before and after.

    Raises `DatabaseUnavailable` when the database does not answer. Does nothing when it is current.
    """
    config = Config()
    config.set_main_option("script_location", str(migrations()))
    newest = ScriptDirectory.from_config(config).get_current_head() or ""
    with translated(), engine.connect() as connection:
        before = MigrationContext.configure(connection).get_current_revision()
        connection.rollback()
        if before != newest:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    return before, newest


def wait(
    engine: Engine,
    seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Return the revision once the ledger is at this release's schema, or at a later one.

    Raises `DatabaseUnavailable` or `ConfigurationError` (not migrated) after `seconds`.
    """
    config = Config()
    config.set_main_option("script_location", str(migrations()))
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head()
    older = {script.revision for script in scripts.walk_revisions()} - {newest}
    end = clock() + seconds
    while True:
        problem: ConfigurationError | DatabaseUnavailable
        try:
            with translated(), engine.connect() as connection:
                found = MigrationContext.configure(connection).get_current_revision()
        except DatabaseUnavailable as error:
            problem = error
        else:
            if found is not None and found not in older:
                return found
            problem = ConfigurationError(
                f"The ledger is at {found or 'nothing'}, this release needs {newest}: "
                "run packshot db upgrade."
            )
        if clock() >= end:
            raise problem
        sleep(min(1.0, seconds))
