"""Real worker processes over real servers, and somebody who listens to their events."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kombu import Connection, Consumer, Exchange, Queue

from packshot.contract import EVENTS_EXCHANGE
from packshot.settings import Settings
from tests.support.s3_server import Bucket

#: Seconds until a worker with fakes must consume; real models take longer to load.
READY_SECONDS = 60.0
#: Seconds for a drain.
STOP_SECONDS = 40.0


def environment(rabbit: str, postgres: str, s3: Bucket) -> dict[str, str]:
    """The settings of an installation on these servers."""
    return {
        "PACKSHOT_BROKER_URL": rabbit,
        "PACKSHOT_DATABASE_URL": postgres,
        "PACKSHOT_BLOBS": f"s3://{s3.name}",
        "PACKSHOT_S3_ENDPOINT": s3.endpoint,
        "PACKSHOT_S3_ACCESS_KEY": s3.access_key,
        "PACKSHOT_S3_SECRET_KEY": s3.secret_key,
        "PACKSHOT_AUDIT_RATE": "0",
        "PACKSHOT_LEASE_SECONDS": "3",
    }


@dataclass
class Fleet:
    """Workers of one installation; every process ends with the test."""

    settings: dict[str, str]
    folder: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def packshot(self, *arguments: str, stdin: bytes | None = None) -> str:
        """Run a command to its end and return what it prints."""
        done = subprocess.run(
            (sys.executable, "-m", "packshot", *arguments),
            env={**os.environ, **self.settings},
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            check=False,
            timeout=120,
        )
        if done.returncode:
            raise AssertionError(done.stderr.decode() + done.stdout.decode())
        return done.stdout.decode()

    def start(
        self, role: str, *arguments: str, module: str = "packshot"
    ) -> "subprocess.Popen[bytes]":
        """Start a worker and return once it consumes. `module` is run in the place of packshot."""
        number = len(self.workers)
        probes = self.folder / f"probes-{number}"
        with self.log(number).open("wb") as log:
            worker = subprocess.Popen(
                (
                    *(sys.executable, "-m", module, "-v", "worker", role),
                    *("--probes", str(probes), *arguments),
                ),
                env={**os.environ, **self.settings},
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.workers.append(worker)
        wait_until(
            lambda: (probes / "ready").exists() or worker.poll() is not None,
            READY_SECONDS,
            f"worker {role} is not ready",
        )
        if worker.poll() is not None:
            raise AssertionError(self.log(number).read_text())
        return worker

    def log(self, number: int) -> Path:
        """Where a worker writes."""
        return self.folder / f"worker-{number}.log"

    def close(self) -> list[int]:
        """Drain every worker; returns the exit codes."""
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)
        codes = []
        for worker in self.workers:
            try:
                codes.append(worker.wait(STOP_SECONDS))
            except subprocess.TimeoutExpired:
                worker.kill()
                codes.append(worker.wait())
        return codes


class Listener:
    """A consumer of events, as an upstream service would be one. Bind it before the first job."""

    def __init__(self, url: str) -> None:
        self._connection = Connection(url)
        exchange = Exchange(EVENTS_EXCHANGE, type="topic", durable=True)
        channel = self._connection.channel()
        queue = Queue("test.events", exchange, routing_key="#", exclusive=True)(channel)
        queue.declare()
        self.events: list[dict[str, Any]] = []
        self._consumer = Consumer(channel, [queue], on_message=self._take, no_ack=True)
        self._consumer.consume()

    def _take(self, message: Any) -> None:
        self.events.append(json.loads(message.body))

    def wait(self, count: int, seconds: float) -> list[dict[str, Any]]:
        """Return once `count` events of different ids have come."""
        end = time.monotonic() + seconds
        while len({event["id"] for event in self.events}) < count:
            if time.monotonic() > end:
                raise AssertionError(f"{len(self.events)} of {count} events after {seconds} s")
            try:
                self._connection.drain_events(timeout=1)
            except TimeoutError:
                continue
        return self.events

    def quiet(self, seconds: float) -> None:
        """Listen for `seconds` more: what comes now is one too many."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                self._connection.drain_events(timeout=left)
            except TimeoutError:
                return

    def close(self) -> None:
        """Disconnect."""
        self._connection.release()


def depth(url: str, queue: str) -> int:
    """Messages that are ready in a queue."""
    with Connection(url) as connection, connection.channel() as channel:
        return int(channel.queue_declare(queue, passive=True).message_count)


def wait_until(true: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Poll something that gives no notice of itself, such as another process's file."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"{otherwise} after {seconds} s")
        time.sleep(0.05)


def settings_of(environment: dict[str, str]) -> Settings:
    """The same settings, for code in the test's own process."""
    return Settings.model_validate(
        {name.removeprefix("PACKSHOT_").lower(): value for name, value in environment.items()}
    )
