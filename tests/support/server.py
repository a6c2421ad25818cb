"""Processes that a test run starts: every one of them ends with the run, however the run ends."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

#: Ports of our own servers: below the ephemeral range, so no outgoing connection takes one.
_PORTS = range(20000, 30000)
#: How often a starting server is asked whether it answers (seconds).
_POLL_S = 0.05

#: Runs beside the tests and reads "+group folder" and "-group" lines. When the run is killed so
#: hard that no fixture is torn down, the pipe closes and the guard ends what is left.
_GUARD = """
import os, shutil, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
alive = {}
for line in sys.stdin:
    if line[0] == "+":
        group, folder = line[1:].rstrip("\\n").split(" ", 1)
        alive[int(group)] = folder
    else:
        alive.pop(int(line[1:]), None)
for group, folder in alive.items():
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
for folder in set(alive.values()):
    shutil.rmtree(folder, ignore_errors=True)
"""


class NotAvailable(Exception):
    """This machine cannot offer the service; the message says what to install."""


class Guard:
    """Ends every server of the run when the run itself can no longer do it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _GUARD],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def watch(self, group: int, folder: Path) -> None:
        """End this process group and remove this folder if the run dies."""
        self._tell(f"+{group} {folder}\n")

    def forget(self, group: int) -> None:
        """The group has ended: its number may soon belong to somebody else."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """The run ended in good order."""
        self._process.communicate()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()


class Server:
    """One server process with its own process group, folder and log file."""

    def __init__(self, name: str, guard: Guard, folder: Path | None = None) -> None:
        self.name = name
        self.folder = folder or Path(tempfile.mkdtemp(prefix=f"packshot-{name}-"))
        self._guard = guard
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Everything that the process printed."""
        return self.folder / "output.log"

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(
        self,
        command: Sequence[str],
        ready: Callable[[], bool],
        *,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        """Start the command and return when `ready()` is true; `NotAvailable` when it dies."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                user=user,
                group=user,
                extra_groups=[] if user else None,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C reaches the tests first, then the fixtures stop us
            )
        self._guard.watch(self._process.pid, self.folder)
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.running or time.monotonic() > deadline:
                tail = self.log.read_text(errors="replace")[-500:]
                self.kill()
                raise NotAvailable(f"{self.name} did not start: {tail}")
            time.sleep(_POLL_S)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the whole process group (SIGSTOP freezes a server)."""
        if self._process is not None:
            os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """End the process at once, as a lost machine would."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.send(signal.SIGKILL)
        self._process.wait(30)
        self._guard.forget(self._process.pid)
        self._process = None

    def terminate(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = 10.0) -> None:
        """Ask the process to end; kill it when it does not."""
        if self._process is not None and self.running:
            self._process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout_s)
        self.kill()

    def remove(self) -> None:
        """Kill the process and delete its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Neighbouring free ports on loopback, chosen at random so that parallel runs do not meet."""
    for _ in range(100):
        # The generator of the tests may be seeded, and then two runs would choose the same block.
        start = random.SystemRandom().randrange(_PORTS.start, _PORTS.stop - count)
        block = list(range(start, start + count))
        if all(_is_free(port) for port in block):
            return block
    raise NotAvailable(f"no {count} neighbouring ports are free on 127.0.0.1")


def answers(port: int, greeting: bytes = b"") -> bool:
    """Whether something listens on this loopback port and, if greeted, says something back."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            if not greeting:
                return True
            connection.settimeout(5)
            connection.sendall(greeting)
            return bool(connection.recv(1))
    except OSError:
        return False


def find_program(name: str, *folders: str) -> str | None:
    """The path of a program in one of these folders (patterns allowed) or on PATH."""
    for pattern in folders:
        for folder in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True):
            if (folder / name).exists():
                return str(folder / name)
    return shutil.which(name)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
