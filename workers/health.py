"""Probe files for Kubernetes: `live` is touched by the main loop, `ready` is there while consuming.

`celery inspect ping` would cost half a second of CPU per probe. `live` also grows old while the
broker is away, so a liveness probe should allow it at least two minutes.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celery import Celery, bootsteps

#: Seconds between two touches of `live`.
BEAT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Probes:
    """Where the files are."""

    folder: Path

    @property
    def live(self) -> Path:
        """Touched every two seconds by the worker's main loop."""
        return self.folder / "live"

    @property
    def ready(self) -> Path:
        """There while the worker consumes its queues."""
        return self.folder / "ready"

    def install(self, app: Celery) -> None:
        """Hang the probes into Celery's worker and consumer."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ready.unlink(missing_ok=True)
        probes = self

        class Live(bootsteps.StartStopStep):  # type: ignore[misc] # Celery is untyped
            requires = ("celery.worker.components:Timer",)

            def __init__(self, parent: Any, **options: Any) -> None:
                super().__init__(parent, **options)
                self.timer: Any = None

            def start(self, parent: Any) -> None:
                self.timer = parent.timer.call_repeatedly(BEAT_SECONDS, self.beat, priority=10)

            def stop(self, parent: Any) -> None:
                del parent
                if self.timer is not None:
                    self.timer.cancel()

            def beat(self) -> None:
                probes.live.write_text(f"{time.time():.0f}\n")

        class Ready(bootsteps.StartStopStep):  # type: ignore[misc] # Celery is untyped
            requires = ("celery.worker.consumer.tasks:Tasks",)

            def start(self, parent: Any) -> None:
                del parent
                probes.ready.touch()

            def stop(self, parent: Any) -> None:
                del parent
                probes.ready.unlink(missing_ok=True)

            shutdown = stop

        app.steps["worker"].add(Live)
        app.steps["consumer"].add(Ready)
