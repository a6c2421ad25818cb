"""A worker's thread pool: of what the worker holds, what somebody waits for runs first.

A worker holds some messages of each of its queues. Celery's pool runs them in the order in which
they came, so that a live step waits behind every bulk step that is held: twenty seconds a job in
the role `all`.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from celery.concurrency.base import apply_target
from celery.concurrency.thread import ApplyResult, TaskPool

from models.plan import HEAD_START
from packshot.contract import Lane


class LanePool(TaskPool):  # type: ignore[misc] # Celery is untyped
    """Celery's thread pool, in the batcher's order: by arrival, live steps with a head start."""

    def __init__(
        self, *args: Any, clock: Callable[[], float] = time.monotonic, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._clock = clock
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        #: A heap: when it came, as its lane counts; its number, so that works are never compared;
        #: whether it is live.
        self._waiting: list[tuple[float, int, bool, Callable[[], Any]]] = []
        self._live = 0

    def on_apply(
        self,
        target: Callable[..., Any],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        callback: Callable[..., Any] | None = None,
        accept_callback: Callable[..., Any] | None = None,
        **_: Any,
    ) -> ApplyResult:
        """Take a step in; some thread runs the most urgent one for each that was taken in."""
        work: Callable[[], Any] = partial(
            apply_target, target, args, kwargs or {}, callback, accept_callback
        )
        live = _is_live(args)
        rank = self._clock() - (HEAD_START if live else 0.0)
        with self._lock:
            heapq.heappush(self._waiting, (rank, next(self._numbers), live, work))
            self._live += live
        return ApplyResult(self.executor.submit(self._run_next))

    def live_waits(self) -> bool:
        """Whether a live step waits for a thread."""
        with self._lock:
            return self._live > 0

    def _run_next(self) -> Any:
        with self._lock:
            _, _, live, work = heapq.heappop(self._waiting)
            self._live -= live
        return work()


def _is_live(args: tuple[Any, ...]) -> bool:
    """Whether a task's arguments (name, id, request, body ...) came by a queue of the live lane."""
    request = args[2] if len(args) > 2 else {}
    return str(request.get("delivery_info", {}).get("routing_key")).endswith(f".{Lane.LIVE}")
