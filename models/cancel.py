"""Stopping a model run from another thread: a step past its time limit gives its thread back.

The watchdog cannot interrupt a thread, but ONNX Runtime can be told to end a run between two nodes
of its graph. Whoever does the work enters a `Cancellation`; sessions look up that of their thread
and hang their own switch into it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar["Cancellation | None"] = ContextVar("cancellation", default=None)


class Cancellation:
    """One piece of work that may be told to stop. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._switches: list[Callable[[], None]] = []
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        """Whether it was told to stop."""
        return self._cancelled

    def cancel(self) -> None:
        """Tell whatever runs now, and whatever would start later, to stop."""
        with self._lock:
            self._cancelled = True
            switches = tuple(self._switches)
        for switch in switches:
            switch()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Make this the calling thread's cancellation."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    @contextmanager
    def watching(self, switch: Callable[[], None]) -> Iterator[None]:
        """Call `switch` when it is cancelled, at once if it is cancelled already."""
        with self._lock:
            self._switches.append(switch)
            late = self._cancelled
        if late:
            switch()
        try:
            yield
        finally:
            with self._lock:
                self._switches.remove(switch)


def current() -> Cancellation | None:
    """The cancellation that the calling thread's work runs under, if any."""
    return _current.get()
