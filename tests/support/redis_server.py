"""A Redis server for tests: a private one, else an empty database of the one that runs here."""

import os

import redis

from tests.support.server import Guard, NotAvailable, Server, find_program, free_ports

#: The last databases of a stock server, where nobody keeps data by accident: one for each process
#: of a test run (`gw0`, `gw1`).
_RUNNING = (
    f"redis://127.0.0.1:6379/{15 - int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0')[2:]) % 8}"
)


class RedisServer:
    """A private server on a free port; nothing is written to disk."""

    def __init__(self, guard: Guard) -> None:
        self._program = _program()
        if self._program is None:
            raise NotAvailable("install Redis (Debian: redis-server) or Valkey")
        self.port = free_ports(1)[0]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._server = Server("redis", guard)

    @staticmethod
    def is_installed() -> bool:
        """Whether this machine has the program."""
        return _program() is not None

    def start(self) -> None:
        """Start the server; returns when it answers a ping."""
        assert self._program is not None
        command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self._server.folder)]
        self._server.start(command, lambda: pings(self.url))

    def kill(self) -> None:
        """SIGKILL the server: everything in it is lost."""
        self._server.kill()

    def remove(self) -> None:
        """End the server and delete its folder."""
        self._server.remove()


def running_redis() -> str | None:
    """The URL of the running server's last database, if nobody uses it: tests flush it."""
    if not pings(_RUNNING):
        return None
    with redis.Redis.from_url(_RUNNING) as client:
        return None if client.dbsize() else _RUNNING


def pings(url: str) -> bool:
    """Whether a Redis server answers there."""
    with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=5) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def flush(url: str) -> None:
    """Empty the database of this URL."""
    with redis.Redis.from_url(url) as client:
        client.flushdb()


def _program() -> str | None:
    return find_program("redis-server") or find_program("valkey-server")
