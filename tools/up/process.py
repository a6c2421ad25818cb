"""Processes that outlive the command that starts them; another one finds and ends them."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

#: Seconds between two looks whether a server answers.
_POLL_S = 0.05


class UpError(Exception):
    """Something could not be started; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Started:
    """One process: the time of its birth tells it from a stranger that has its number later."""

    name: str
    pid: int
    born: float
    #: Asked to end and waited for, before the servers go.
    drains: bool

    def process(self) -> psutil.Process | None:
        """The living process, or None."""
        try:
            found = psutil.Process(self.pid)
            alive = abs(found.create_time() - self.born) < 1 and found.status() != "zombie"
        except psutil.Error:
            return None
        return found if alive else None


class Site:
    """The folder of an installation: state, logs, data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._state = self.folder / "state.json"
        self._lock = threading.Lock()

    def started(self) -> list[Started]:
        """What was started, oldest first."""
        if not self._state.exists():
            return []
        return [Started(**row) for row in json.loads(self._state.read_text())]

    def log(self, name: str) -> Path:
        """What a process prints."""
        return self.folder / "log" / f"{name}.log"

    def start(
        self,
        name: str,
        command: Sequence[str],
        ready: Callable[[], bool],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        seconds: float = 60.0,
        drains: bool = False,
    ) -> None:
        """Start one and return when it is ready. Raises `UpError` with the end of its log."""
        self.log(name).parent.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=cwd or self.folder,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                start_new_session=True,
            )
        born = psutil.Process(process.pid).create_time()
        with self._lock:
            self._write([*self.started(), Started(name, process.pid, born, drains)])
        end = time.monotonic() + seconds
        while not ready():
            if process.poll() is not None or time.monotonic() > end:
                tail = self.log(name).read_text(errors="replace")[-800:]
                raise UpError(f"{name} did not start; {self.log(name)} ends with:\n{tail}")
            time.sleep(_POLL_S)

    def stop(self, drain_seconds: float) -> list[str]:
        """End everything, youngest first; returns the names of what had to be killed."""
        rows = self.started()[::-1]
        drained = [row for row in rows if row.drains]
        for row in drained:
            if process := row.process():
                process.send_signal(signal.SIGTERM)
        waiting = [process for row in drained if (process := row.process())]
        _, late = psutil.wait_procs(waiting, timeout=drain_seconds)
        killed = [row.name for row in drained if row.pid in {process.pid for process in late}]
        for row in rows:
            if row.process():
                os.killpg(row.pid, signal.SIGKILL)
        psutil.wait_procs([process for row in rows if (process := row.process())], timeout=10)
        self._write([])
        return killed

    def _write(self, rows: Sequence[Started]) -> None:
        self._state.write_text(json.dumps([asdict(row) for row in rows], indent=1))


def answers(port: int, greeting: bytes = b"") -> bool:
    """Whether something listens on a loopback port and, if greeted, says something back."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            if not greeting:
                return True
            connection.settimeout(5)
            connection.sendall(greeting)
            return bool(connection.recv(1))
    except OSError:
        return False


def free_block(first: int, count: int) -> int:
    """The first of `count` free loopback ports, searched upwards in steps of a hundred."""
    for start in range(first, first + 2000, 100):
        if all(_is_free(port) for port in range(start, start + count)):
            return start
    raise UpError(f"No {count} neighbouring ports are free above {first}.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
