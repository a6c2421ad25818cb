"""A worker of role `all` with fakes on which a rare stall of Celery's would be frequent.

python -m tests.support.brisk_worker HEARTBEAT_SECONDS PROBES

Its connections need a sign of life every few seconds, and its events are sent by the threads of the
pool instead of by the main loop, as otherwise only a worker does that runs very short tasks.
"""

import sys
from pathlib import Path
from typing import Any

from celery.events.dispatcher import EventDispatcher

from packshot.settings import Settings
from workers.health import Probes
from workers.lifecycle import Options, Worker
from workers.roles import role


class Impatient(EventDispatcher):  # type: ignore[misc] # Celery is untyped
    """Sends events two by two; Celery's own waits for 24 of them, or for the main loop."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.buffer_limit = 2


def main(seconds: str, probes: str) -> int:
    """Run until told to stop."""
    options = Options(
        role=role("all"), concurrency=4, probes=Probes(Path(probes)), fake_seconds=0.0
    )
    worker = Worker(Settings.load(), options)
    worker.app.conf.broker_heartbeat = float(seconds)
    worker.app.events.dispatcher_cls = Impatient
    return worker.run()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
