"""Whether a worker goes on with a job itself, or publishes a hop for its next step.

A hop costs a publish with its confirm, an acknowledgement, Celery's loop and Flower's events, and
the next step may run where the decoded photo is not. So a worker that serves the next step as well
goes on with it, under the message that it holds.
"""

from collections.abc import Iterable

from celery.worker import state

from packshot.contract import Lane, Step, queue_name
from workers.pool import LanePool


class Onward:
    """Decides after each step. Thread-safe."""

    def __init__(self, queues: Iterable[str]) -> None:
        """Take the queues that this process consumes."""
        self._queues = frozenset(queues)
        #: Where steps wait for a thread of this process; known once Celery has made it.
        self.pool: LanePool | None = None

    def __call__(self, step: Step, lane: Lane) -> bool:
        """Whether the next step of a job is done here: nobody more urgent waits for the thread."""
        if queue_name(step, lane) not in self._queues:
            return False
        if state.should_stop is not None or state.should_terminate is not None:
            return False  # a drain waits for the step at hand, not for the whole job
        return lane is Lane.LIVE or self.pool is None or not self.pool.live_waits()
