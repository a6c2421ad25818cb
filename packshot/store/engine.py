"""Database connections: Postgres in production, SQLite (WAL) for the embedded default."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from packshot.errors import DatabaseUnavailable

#: Seconds until a connection attempt counts as failed.
CONNECT_SECONDS = 5
#: Longest statement, milliseconds: the ledger's statements take single ones.
STATEMENT_MS = 30_000
#: Longest wait for a row that another worker holds, milliseconds.
LOCK_MS = 10_000
#: A pooled connection that was not used for so long may be dead without a sign, seconds.
REST_SECONDS = 5.0
#: SQLSTATE classes that mean "try again": connection, resources, shutdown, serialisation, locks.
_TRANSIENT_STATES = ("08", "53", "57", "40", "55P03")


def open_engine(url: str, *, pool_size: int = 5) -> Engine:
    """Open a pool for `url`. Nothing is connected yet."""
    if make_url(url).get_backend_name() == "sqlite":
        return _open_sqlite(url)
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=CONNECT_SECONDS,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "options": f"-c statement_timeout={STATEMENT_MS} -c lock_timeout={LOCK_MS}",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            # Without it a black-holed connection blocks a write for the kernel's 15 minutes.
            "tcp_user_timeout": 30_000,
        },
    )
    _ping_when_idle(engine)
    return engine


def _ping_when_idle(engine: Engine) -> None:
    """Look whether a connection lives before it is used, where it has rested.

    A restart of the server leaves dead sockets in the pool. A busy worker notices with its next
    statement, which the step tries again, and a ping each time would be a fifth of its round trips.
    """

    @event.listens_for(engine, "checkin")
    def _rest(_connection: Any, record: Any) -> None:
        record.info["rested_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _wake(connection: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get("rested_since")
        if since is not None and time.monotonic() - since > REST_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error


def _open_sqlite(url: str) -> Engine:
    database = make_url(url).database
    if database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN would be a deferred one
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        # A deferred transaction that reads, then writes, fails at once when another has written
        # in between; an immediate one waits for its turn.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@contextmanager
def translated() -> Iterator[None]:
    """Turn what a down, slow or failing-over database raises into `DatabaseUnavailable`."""
    try:
        yield
    except (PoolTimeout, InterfaceError) as error:
        raise DatabaseUnavailable("The database gives no connection: is it up?") from error
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        gone = error.connection_invalidated or isinstance(error, OperationalError)
        if gone or (state and state.startswith(_TRANSIENT_STATES)):
            raise DatabaseUnavailable(f"The database did not answer: {error.orig}") from error
        raise
