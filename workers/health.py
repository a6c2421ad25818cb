"""Probe files for Kubernetes: `live` is touched by the main loop, `ready` is there while consuming.

`celery inspect ping` would cost half a second of CPU per probe. `live` says that the loop is not
stuck: it is there once the models are warm, and a loop that waits for a broker that is away touches
it too, since nothing is won by starting a worker again for that. `ready` says the rest.
"""

import time
from collections.abc import Callable
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
        """Touched every two seconds by the worker's main loop, or once a try while it connects."""
        return self.folder / "live"

    @property
    def ready(self) -> Path:
        """There while the worker consumes its queues."""
        return self.folder / "ready"

    def beat(self) -> None:
        """Touch `live`."""
        self.live.write_text(f"{time.time():.0f}\n")

    def install(self, app: Celery) -> None:
        """Hang the probes into Celery's worker and consumer."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ready.unlink(missing_ok=True)
        self.beat()
        for name in ("connection_for_read", "connection_for_write"):
            setattr(app, name, _beating(getattr(app, name), self.beat))
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
                probes.beat()

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


def _beating(connect: Callable[..., Any], beat: Callable[[], None]) -> Callable[..., Any]:
    """The same connections, but waiting for one of them calls `beat` every second."""

    def connection(*args: Any, **options: Any) -> Any:
        made = connect(*args, **options)
        ensure = made.ensure_connection

        def ensure_connection(
            *rest: Any, callback: Callable[[], None] | None = None, **more: Any
        ) -> Any:
            def waiting() -> None:
                beat()
                if callback:
                    callback()

            return ensure(*rest, callback=waiting, **more)

        made.ensure_connection = ensure_connection
        return made

    return connection
