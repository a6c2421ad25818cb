"""Peers that are servers themselves: a plain Celery chain, and rembg's HTTP server."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import psutil
import urllib3
from celery import Celery, chain

from models.registry import Registry
from packshot.errors import PackshotError
from tests.support.fleet import wait_until
from tests.support.server import answers, free_ports
from workers.bench import photos
from workers.bench.figures import Round
from workers.bench.plan import ONE_THREAD, Options, peer_weights

#: The script of the chain's tasks, and the one whose preparation it shares.
_HERE, _SCRIPTS = Path(__file__).parent, Path(photos.__file__).parent
#: Seconds for loading, and for a round.
READY, PATIENCE = 180.0, 600.0


class Chain:
    """Three Celery tasks a photo, one prefork child of one thread for each core."""

    def __init__(self, options: Options, python: Path, broker: str) -> None:
        self._options, self._python, self._broker = options, python, broker

    def run(self, side: int, count: int) -> Round:
        """Publish `count` chains at once; the clock stops with the last cut-out on disk."""
        with tempfile.TemporaryDirectory(dir=self._options.folder) as folder:
            done = Path(folder) / "done"
            done.mkdir()
            warm = self._options.warm * self._options.processes
            paths = photos.write(Path(folder) / "photos", side, warm + count)
            environment = {
                **ONE_THREAD,
                **peer_weights(self._options.folder, self._options.models),
                "PYTHONPATH": f"{_HERE}:{_SCRIPTS}",
                "PEER_BROKER": self._broker,
                "PEER_DONE": str(done),
                "PEER_WARM": str(paths[0]),
                "PEER_CLASSIFIER": str(Registry(self._options.models).path("efficientnet-lite0")),
            }
            children = str(self._options.processes)
            command = [
                "-m",
                "celery",
                "-A",
                "prefork_peer",
                "worker",
                "-c",
                children,
                "-l",
                "error",
            ]
            with _running(self._python, command, environment, folder) as worker:
                wait_until(
                    lambda: len(list(done.glob("ready-*"))) == self._options.processes,
                    READY,
                    "the chain's children are not ready",
                )
                self._publish(paths[:warm])
                wait_until(lambda: len(list(done.glob("*.png"))) == warm, PATIENCE, "not warm")
                cpu, started = _cpu(worker.pid), monotonic()
                self._publish(paths[warm:])
                wait_until(
                    lambda: len(list(done.glob("*.png"))) == len(paths), PATIENCE, "not done"
                )
                return Round(count, monotonic() - started, _cpu(worker.pid) - cpu)

    def _publish(self, paths: list[Path]) -> None:
        app = Celery(broker=self._broker, set_as_current=False)
        names = ("peer.classify", "peer.matte")
        for path in paths:
            first = app.signature("peer.read", args=[str(path)], app=app)
            chain(first, *(app.signature(name) for name in names), app=app).apply_async()
        app.close()


class HttpServer:
    """`rembg s` with u2netp, as it starts, and one client for each core."""

    def __init__(self, options: Options, python: Path) -> None:
        self._options, self._program = options, python.with_name("rembg")

    def run(self, side: int, count: int) -> Round:
        """Send `count` photos; the clock stops with the last cut-out."""
        with tempfile.TemporaryDirectory(dir=self._options.folder) as folder:
            warm = self._options.warm * self._options.processes
            paths = photos.write(Path(folder) / "photos", side, warm + count)
            (port,) = free_ports(1)
            url = f"http://127.0.0.1:{port}/api/remove"
            weights = peer_weights(self._options.folder, self._options.models)
            command = ["s", "--host", "127.0.0.1", "--port", str(port)]
            with (
                _running(self._program, command, weights, folder) as server,
                urllib3.PoolManager(maxsize=self._options.processes) as pool,
                ThreadPoolExecutor(self._options.processes) as clients,
            ):
                wait_until(lambda: answers(port), READY, "rembg's server does not answer")

                def cut(path: Path) -> None:
                    photo = (path.name, path.read_bytes(), "image/jpeg")
                    fields: dict[str, str | tuple[str, bytes, str]] = {
                        "file": photo,
                        "model": "u2netp",
                    }
                    answer = pool.request("POST", url, fields=fields, timeout=PATIENCE)
                    if answer.status != 200:
                        raise PackshotError(f"rembg's server answers {answer.status}.")

                list(clients.map(cut, paths[:warm]))
                cpu, started = _cpu(server.pid), monotonic()
                list(clients.map(cut, paths[warm:]))
                return Round(count, monotonic() - started, _cpu(server.pid) - cpu)


@contextmanager
def _running(
    program: Path, command: list[str], environment: dict[str, str], folder: str
) -> Iterator["subprocess.Popen[bytes]"]:
    with (Path(folder) / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(program), *command],
            env={**os.environ, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _cpu(pid: int) -> float:
    """CPU seconds of a process and its living children."""
    parent = psutil.Process(pid)
    times = [one.cpu_times() for one in (parent, *parent.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))
