"""The exporter's process: a reading every few seconds, served as it was last found."""

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST

from packshot.errors import ConfigurationError
from packshot.settings import Settings
from packshot.store.engine import open_engine
from packshot.store.gauges import Gauges
from workers.exporter.queues import look
from workers.exporter.reading import Reader

log = logging.getLogger(__name__)

#: Readings that may be missed before /healthz says so.
MISSED = 6


def reader(settings: Settings) -> Reader:
    """A reader of this installation; one connection to the database is enough."""
    gauges = Gauges(open_engine(settings.ledger_url, pool_size=1))
    return Reader(gauges, lambda: look(settings, gauges.running))


@contextmanager
def serving(source: Reader, host: str, port: int, *, every: float) -> Iterator[int]:
    """Serve the last reading while inside; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, source.text)
            elif path == "/healthz":
                late = time.monotonic() - source.read_at > MISSED * every
                self._answer(503 if late else 200, "text/plain", b"late\n" if late else b"ok\n")
            else:
                self._answer(404, "text/plain", b"/metrics or /healthz\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A scrape every few seconds is no news."""

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise ConfigurationError(
            f"The exporter cannot listen on {host or '*'}:{port} ({error}): choose a free port."
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="http", daemon=True)
    thread.start()
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def run_exporter(settings: Settings, host: str, port: int, every: float) -> int:
    """Read and serve until told to stop; returns the exit code."""
    source = reader(settings)
    stopping = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stopping.set())
    source.read()
    with serving(source, host, port, every=every) as bound:
        log.info("the exporter serves /metrics on port %d", bound)
        while not stopping.wait(every):
            source.read()
    return 0
