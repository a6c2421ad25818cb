"""What a worker shows of itself to Prometheus, and where it sends its traces."""

import importlib.util
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from models.bundle import Models
from packshot import __version__, metrics
from packshot.contract import Step
from packshot.errors import ConfigurationError
from packshot.settings import Settings
from packshot.summary import PIPELINE
from packshot.tracing import NoTracing, Tracing

log = logging.getLogger(__name__)

#: Seconds that the server's thread gets to end.
STOP_SECONDS = 2.0


@contextmanager
def serving(settings: Settings) -> Iterator[int]:
    """Serve the worker's metrics while inside; yields the port, 0 where it is off.

    Raises `ConfigurationError` when the port is taken.
    """
    if settings.metrics_port is None:
        yield 0
        return
    host = settings.metrics_host or "0.0.0.0"  # noqa: S104 - a scraper is another machine
    try:
        server, thread = start_http_server(settings.metrics_port, host, metrics.WORKERS)
    except OSError as error:
        raise ConfigurationError(
            f"The metrics cannot be served on {host}:{settings.metrics_port} ({error}): set "
            "PACKSHOT_METRICS_PORT to a free port."
        ) from error
    port = int(server.server_port)
    log.info("metrics are on port %d", port)
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(STOP_SECONDS)


def describe(role: str, slots: int, models: Models, busy: Callable[[], int]) -> None:
    """Say which release, which weights and how many slots this process is."""
    metrics.prepare()
    metrics.BUILD.labels(__version__, PIPELINE).set(1)
    metrics.SLOTS.labels(role).set(slots)
    metrics.BUSY.set_function(busy)
    for step in Step:
        for one in models.info(step):
            metrics.MODEL.labels(step, one.name, one.version, one.sha256, one.licence).set(1)


def open_tracing(settings: Settings, worker: str) -> Tracing:
    """Tracing to the collector in the settings; off without one.

    Raises `ConfigurationError` when the extra `otel` is not installed.
    """
    if settings.otlp_endpoint is None:
        return NoTracing()
    if importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http") is None:
        raise ConfigurationError(
            "PACKSHOT_OTLP_ENDPOINT is set, but the extra `otel` is missing: install "
            "'packshot[worker,otel]', or unset it."
        )
    from packshot.otel import over_http

    return over_http(settings.otlp_endpoint, worker=worker, ratio=settings.trace_ratio)
