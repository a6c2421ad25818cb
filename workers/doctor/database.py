"""The ledger: reachable, migrated to this release, ours to write, with room and a true clock."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from packshot.errors import ConfigurationError
from packshot.store.engine import open_engine, translated
from packshot.store.tables import Base
from workers.database import migrations
from workers.doctor.finding import Finding, Subject, error, ok, warning
from workers.roles import ROLES
from workers.services import connections_for

#: Seconds by which this machine's clock may differ from the database's.
SKEW_SECONDS = 2.0
#: The roles of a fleet, each in a process of its own.
FLEET = ("io", "ocr", "recognition", "matting")
#: A pool may grow to this many times its size (`packshot.store.engine`).
OVERFLOW = 2
#: The oldest Postgres that is supported upstream and tested.
OLDEST = 13


def check_database(subject: Subject) -> Iterator[Finding]:
    """Connect as a worker does, and look around."""
    url = subject.settings.ledger_url
    try:
        backend = make_url(url).get_backend_name()
    except ArgumentError as problem:
        raise ConfigurationError(
            "PACKSHOT_DATABASE_URL cannot be understood: write "
            "postgresql+psycopg://user:password@host:5432/database."
        ) from problem
    if backend == "sqlite":
        yield from _file(url)
        return
    try:
        engine = open_engine(url, pool_size=1)
    except (ArgumentError, ImportError) as problem:
        raise ConfigurationError(
            "PACKSHOT_DATABASE_URL names another database than Postgres: write "
            "postgresql+psycopg://user:password@host:5432/database."
        ) from problem
    try:
        with translated(), engine.connect() as connection:
            yield _version(connection)
            yield _clock(connection)
            yield _revision(connection)
            yield _room(connection)
            yield from _rights(connection)
    except DBAPIError as problem:
        yield error(
            f"The database refuses: {problem.orig}.",
            "Grant the user of the workers its rights on the ledger's tables.",
        )
    finally:
        engine.dispose()


def _file(url: str) -> Iterator[Finding]:
    path = Path(make_url(url).database or "")
    if not path.exists():
        folder = next(one for one in path.absolute().parents if one.exists())
        if os.access(folder, os.W_OK):
            yield ok(f"The ledger will be made at {path}.")
        else:
            yield error(
                f"The ledger's file {path} cannot be made.", "Grant the right to write there."
            )
        return
    # Read-only: the usual engine would make files beside it.
    engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    try:
        with translated(), engine.connect() as connection:
            yield ok(f"The ledger is the file {path}.")
            yield _revision(connection)
    finally:
        engine.dispose()


def _version(connection: Connection) -> Finding:
    version = str(connection.scalar(text("SHOW server_version")))
    sentence = f"Postgres {version.split(maxsplit=1)[0]} answers and takes our credentials."
    if connection.scalar(text("SELECT pg_is_in_recovery()")):
        return error(sentence + " It is a read-only standby.", "Name the primary server.")
    if int(version.split(".", maxsplit=1)[0].split(maxsplit=1)[0]) < OLDEST:
        return warning(sentence, f"Use Postgres {OLDEST} or later.")
    return ok(sentence)


def _clock(connection: Connection) -> Finding:
    before = datetime.now(UTC)
    theirs: Any = connection.scalar(text("SELECT clock_timestamp()"))
    after = datetime.now(UTC)
    skew = (theirs - (before + (after - before) / 2)).total_seconds()
    if abs(skew) <= SKEW_SECONDS:
        return ok(f"The database's clock and this machine's differ by {abs(skew):.2f} s.")
    return warning(
        f"The database's clock is {abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} this "
        "machine's: leases follow the database, but names, events and signatures do not.",
        "Let both follow the same time servers (chrony, systemd-timesyncd).",
    )


def _revision(connection: Connection) -> Finding:
    script = ScriptDirectory(str(migrations()))
    newest = script.get_current_head()
    found = MigrationContext.configure(connection).get_current_revision()
    if found == newest:
        return ok(f"The ledger is at revision {found}, that of this release.")
    if found is None:
        return error("The database holds no ledger yet.", "Run `packshot db upgrade`.")
    if found in {one.revision for one in script.walk_revisions()}:
        return error(
            f"The ledger is at revision {found}, this release needs {newest}.",
            "Run `packshot db upgrade`: running workers may go on meanwhile.",
        )
    return warning(
        f"The ledger is at revision {found}, which this release does not know: a newer one has "
        "migrated it.",
        "Nothing during a roll-out; otherwise install that release here.",
    )


def _room(connection: Connection) -> Finding:
    row = connection.execute(
        text(
            "SELECT current_setting('max_connections')::int"
            " - current_setting('superuser_reserved_connections')::int"
            " - coalesce(current_setting('reserved_connections', true)::int, 0) AS room,"
            " (SELECT count(*) FROM pg_stat_activity"
            "  WHERE backend_type = 'client backend') AS used,"
            " (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role,"
            " (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS base"
        )
    ).one()
    limits = (row.room, row.role, row.base)
    room = min(limit for limit in limits if limit is not None and limit >= 0)  # -1: no limit
    need = sum(OVERFLOW * connections_for(ROLES[name].concurrency) for name in FLEET)
    sentence = (
        f"Room for {room} connections, {row.used} in use; one worker of each role "
        f"({', '.join(FLEET)}) opens up to {need}."
    )
    if room >= need:
        return ok(sentence)
    return warning(sentence, "Raise max_connections, or put a pooler in session mode before it.")


def _rights(connection: Connection) -> Iterator[Finding]:
    refused = []
    for name in Base.metadata.tables:
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            allowed = connection.scalar(
                text("SELECT has_table_privilege(to_regclass(:name), :right)"),
                {"name": name, "right": right},
            )
            if allowed is False:  # None: there is no such table, which the revision tells
                refused.append(f"{right} on {name}")
    if refused:
        yield error(f"We may not {', '.join(refused)}.", "Grant it to the user of the workers.")
