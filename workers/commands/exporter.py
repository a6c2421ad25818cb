"""`packshot exporter`."""

import click

from packshot.settings import Settings
from packshot.telemetry import configure


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=9465, show_default=True, help="Port to serve."
)
@click.option("--listen", default="", help="Address to listen on. Default: every interface.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.5),
    default=10.0,
    show_default=True,
    help="Seconds between two readings.",
)
def exporter(port: int, listen: str, every: float) -> int:
    """Serve what the whole installation has to do, for Prometheus and the autoscaler.

    \b
    Reads the broker (PACKSHOT_MANAGEMENT_URL, else over AMQP) and the ledger, and serves
      /metrics   work, ages, reviews, outbox, dead letters: docs/metrics.md
      /healthz   200 while readings are made
    One process is enough; a second one shows the same.
    """
    from workers.exporter.server import run_exporter

    settings = Settings.load()
    configure(settings.log_level, settings.log_style)
    return run_exporter(settings, listen, port, every)
