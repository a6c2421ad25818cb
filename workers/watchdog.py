"""Time limits that work in a thread pool, where Celery's own do nothing.

A step past its limit is cancelled in the model runtime, which gives its thread back; it then fails
as `step_timeout`. Where that does not help (a hang outside the runtime), nothing can free the
thread: the step is forsaken, so that its lease ends and it becomes a suspect, and the whole process
is replaced after its other steps have ended or been handed back.
"""

import logging
import threading
from collections.abc import Callable

from tasks.running import Running

log = logging.getLogger(__name__)

#: Seconds between two looks.
TICK_SECONDS = 0.5
#: Seconds that a cancelled step gets to come back before it counts as hung.
GRACE_SECONDS = 10.0


class Watchdog:
    """A thread that looks after the running steps; `on_hang` is called once, for the first hang."""

    def __init__(
        self,
        running: Running,
        limit_seconds: float,
        on_hang: Callable[[], None],
        *,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._running = running
        self._limit = limit_seconds
        self._grace = grace_seconds
        self._on_hang = on_hang
        self._hung = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Start looking."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            self.look()

    def look(self) -> None:
        """Cancel what is overdue, and forsake what does not come back."""
        for slot in self._running.slots():
            ticket, seconds = slot.ticket, slot.seconds()
            if seconds > self._limit and not slot.cancellation.cancelled:
                log.error("%s of job %s takes %.0f s: cancelled", ticket.step, ticket.id, seconds)
                slot.cancellation.cancel()
            if seconds > self._limit + self._grace and not slot.forsaken:
                log.critical("%s of job %s hangs: this process ends", ticket.step, ticket.id)
                slot.forsaken = True
                if not self._hung:
                    self._hung = True
                    self._on_hang()
