"""Alembic's environment: short timeouts and one lock, since old workers go on writing meanwhile."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, text

from packshot.settings import Settings
from packshot.store.engine import open_engine
from packshot.store.tables import Base

#: Any number that nothing else on the server uses: two migration Jobs wait for each other.
ADVISORY_LOCK = 7_225_740_416


def _migrate(connection: Connection) -> None:
    postgres = connection.dialect.name == "postgresql"
    if postgres:
        # A migration that waits for a lock blocks every query behind it: better to fail and retry.
        connection.execute(text("SET lock_timeout = '4s'"))
        connection.execute(text("SET statement_timeout = '60s'"))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
        connection.commit()
    options: dict[str, Any] = {"render_as_batch": not postgres, "transaction_per_migration": True}
    context.configure(connection=connection, target_metadata=Base.metadata, **options)
    with context.begin_transaction():
        context.run_migrations()
    if postgres:
        connection.commit()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
        connection.commit()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    _migrate(given)
else:
    with open_engine(Settings.load().ledger_url).connect() as own:
        _migrate(own)
