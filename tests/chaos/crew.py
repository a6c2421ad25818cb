"""A fleet of worker processes, and somebody who starts the dead again, as Kubernetes does."""

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.faulty_worker import VARIABLE
from tests.chaos.scenario import Faults, Post
from tests.support.server import Guard

#: This checkout.
ROOT = Path(__file__).resolve().parents[2]
#: Seconds between a death and the next start: Kubernetes begins with ten, and grows.
RESTART_SECONDS = 1.0
#: How old the file `live` may be (seconds) until a worker counts as hanging and is killed.
LIVE_SECONDS = 120.0
#: Seconds for all workers to consume; real models take longer to load.
READY_SECONDS = 120.0
#: Seconds that a drain may take.
DRAIN_SECONDS = 60.0


@dataclass
class Member:
    """One place in the fleet, and the process that fills it now."""

    name: str
    post: Post
    folder: Path
    process: "subprocess.Popen[bytes] | None" = None
    generation: int = 0
    started: float = 0.0
    died: float | None = None
    retired: bool = False
    codes: list[int] = field(default_factory=list)

    @property
    def probes(self) -> Path:
        """Where its probe files are."""
        return self.folder / f"{self.name}-probes"

    @property
    def log(self) -> Path:
        """What all its processes wrote."""
        return self.folder / f"{self.name}.log"

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether it consumes."""
        return self.alive and (self.probes / "ready").exists()


class Crew:
    """The fleet of one scenario. Its processes end with `close`, or with the run."""

    def __init__(
        self, settings: Mapping[str, str], folder: Path, guard: Guard, *, seed: int
    ) -> None:
        self.members: dict[str, Member] = {}
        self.strikes = folder / "strikes"
        self.strikes.mkdir(parents=True, exist_ok=True)
        self._settings = dict(settings)
        self._folder = folder
        self._guard = guard
        self._seed = seed
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="crew", daemon=True)

    def hire(self, posts: tuple[Post, ...]) -> None:
        """Start these workers side by side; returns once every one of them consumes."""
        for post in posts:
            name = f"{post.role}-{len(self.members)}"
            self.members[name] = Member(name, post, self._folder)
            self._start(self.members[name])
        if not self._watcher.is_alive():
            self._watcher.start()
        self.wait_ready()

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Return once every worker that is not retired consumes."""
        end = time.monotonic() + seconds
        while waiting := [one for one in self._serving() if not one.ready]:
            if time.monotonic() > end:
                tail = waiting[0].log.read_text(errors="replace")[-2000:]
                raise AssertionError(f"{waiting[0].name} does not consume: {tail}")
            time.sleep(0.05)

    def alive(self) -> list[str]:
        """Names of the workers that consume now, in a fixed order."""
        return [name for name, one in self.members.items() if one.ready and not one.retired]

    def send(self, name: str, number: signal.Signals) -> bool:
        """Send a signal to a worker; False if it has none to receive it."""
        with self._lock:
            process = self.members[name].process
            if process is None or process.poll() is not None:
                return False
            process.send_signal(number)
            return True

    def kill(self, name: str) -> bool:
        """SIGKILL: the process ends between two instructions."""
        return self.send(name, signal.SIGKILL)

    def replace(self, name: str) -> None:
        """Drain a worker; its successor starts when it has ended, as in a rolling update."""
        before = self.members[name].generation
        self.send(name, signal.SIGTERM)
        end = time.monotonic() + DRAIN_SECONDS + READY_SECONDS
        while self.members[name].generation == before or not self.members[name].ready:
            if time.monotonic() > end:
                raise AssertionError(f"{name} was not replaced")
            time.sleep(0.05)

    def pids(self) -> dict[int, str]:
        """The running processes by their id."""
        with self._lock:
            return {
                one.process.pid: name
                for name, one in self.members.items()
                if one.process is not None and one.process.poll() is None
            }

    def restarts(self) -> int:
        """How many processes were started beyond the first of each post."""
        return sum(one.generation - 1 for one in self.members.values())

    def last_strike(self) -> float:
        """When a worker last killed itself on command (wall clock, seconds); 0.0 if never."""
        return max((path.stat().st_mtime for path in self.strikes.iterdir()), default=0.0)

    def struck(self) -> int:
        """How many workers killed themselves on command."""
        return sum(1 for _ in self.strikes.iterdir())

    def close(self) -> list[int]:
        """Drain every worker; returns the exit codes. What does not end is killed: -9."""
        self._stopping.set()
        if self._watcher.is_alive():
            self._watcher.join()
        for one in self.members.values():
            if one.alive and one.process is not None:
                with contextlib.suppress(ProcessLookupError):
                    one.process.send_signal(signal.SIGTERM)
        codes = []
        end = time.monotonic() + DRAIN_SECONDS
        for one in self.members.values():
            if one.process is None:
                continue
            try:
                codes.append(one.process.wait(max(0.1, end - time.monotonic())))
            except subprocess.TimeoutExpired:
                one.process.kill()
                codes.append(one.process.wait())
            self._guard.forget(one.process.pid)
        return codes

    def _serving(self) -> list[Member]:
        return [one for one in self.members.values() if not one.retired]

    def _watch(self) -> None:
        while not self._stopping.wait(0.1):
            for one in self._serving():
                if one.alive:
                    self._check_life(one)
                elif one.process is not None and one.died is None:
                    one.died = time.monotonic()
                    one.codes.append(one.process.returncode)
                    one.retired = not one.post.supervised
                    self._guard.forget(one.process.pid)
                elif one.died is not None and time.monotonic() - one.died > RESTART_SECONDS:
                    self._start(one)

    def _check_life(self, one: Member) -> None:
        """Do what a liveness probe would do."""
        with contextlib.suppress(FileNotFoundError):
            age = time.time() - (one.probes / "live").stat().st_mtime
            if age > LIVE_SECONDS and time.monotonic() - one.started > LIVE_SECONDS:
                self.kill(one.name)

    def _start(self, one: Member) -> None:
        (one.probes / "ready").unlink(missing_ok=True)
        with self._lock:
            one.process = subprocess.Popen(
                self._command(one),
                env=self._environment(one),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            one.generation += 1
            one.started = time.monotonic()
            one.died = None
        self._guard.watch(one.process.pid, self._folder)
        # A pipe, as in a container: a full disk of the worker's must not be that of its log.
        threading.Thread(target=_collect, args=(one.process, one.log), daemon=True).start()

    def _command(self, one: Member) -> list[str]:
        post = one.post
        arguments = [post.role, "--probes", str(one.probes)]
        if post.concurrency is not None:
            arguments += ["--concurrency", str(post.concurrency)]
        if post.fake_seconds is not None:
            arguments += ["--fake-models", str(post.fake_seconds)]
        if post.faults.any:
            return [sys.executable, "-m", "tests.chaos.faulty_worker", *arguments]
        return [sys.executable, "-m", "packshot", "-v", "worker", *arguments]

    def _environment(self, one: Member) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PACKSHOT_")}
        environment = {
            **clean,
            **self._settings,
            "PYTHONPATH": str(one.post.checkout or ROOT),
            VARIABLE: json.dumps(
                {
                    **dataclasses.asdict(one.post.faults),
                    "folder": str(self.strikes),
                    # Another seed for each process, or it would die at the same place for ever.
                    "seed": f"{self._seed}/{one.name}/{one.generation}",
                }
            ),
        }
        return {**environment, **_clock(one.post.faults, self._folder)}


def _clock(faults: Faults, folder: Path) -> dict[str, str]:
    if not faults.clock_offset:
        return {}
    from tests.chaos.wrong_clock import environment

    return environment(folder, faults.clock_offset, faults.clock_after)


def _collect(process: "subprocess.Popen[bytes]", log: Path) -> None:
    assert process.stdout is not None
    with process.stdout, log.open("ab", buffering=0) as file:
        shutil.copyfileobj(process.stdout, file, 4096)
