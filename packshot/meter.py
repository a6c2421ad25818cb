"""What an attempt at a step costs: seconds of the device, seconds of CPU, bytes moved.

Whoever does the work enters a `Meter`; what lies below adds to the one of the calling thread. Work
that is handed to other threads takes the meter along (`current`).
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """What was spent.

    Attributes:
        device_seconds: seconds in which a model ran for it; of a batch, the share of one of its
            items. On a CPU these are wall-clock seconds, whatever the number of threads.
        cpu_seconds: CPU time of the thread that did the step. A runtime that uses this thread is in
            it, the threads of its own that it may have are not.
        bytes_read, bytes_written: payload to and from the producer's store and ours.
    """

    device_seconds: float = 0.0
    cpu_seconds: float = 0.0
    bytes_read: int = 0
    bytes_written: int = 0


class Meter:
    """Adds up. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._device_seconds = 0.0
        self._read = self._written = 0
        self._thread_began = time.thread_time()

    def add(self, *, device_seconds: float = 0.0, read: int = 0, written: int = 0) -> None:
        """Count something that was spent."""
        with self._lock:
            self._device_seconds += device_seconds
            self._read += read
            self._written += written

    def cost(self) -> Cost:
        """What was spent until now; asked by the thread that made the meter."""
        cpu = time.thread_time() - self._thread_began
        with self._lock:
            return Cost(self._device_seconds, cpu, self._read, self._written)


_current: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered() -> Iterator[Meter]:
    """Measure what the calling thread does inside."""
    meter = Meter()
    token = _current.set(meter)
    try:
        yield meter
    finally:
        _current.reset(token)


@contextmanager
def on_device() -> Iterator[None]:
    """What runs inside, runs on the device: its seconds go to the calling thread's meter."""
    began = time.perf_counter()
    try:
        yield
    finally:
        spent(device_seconds=time.perf_counter() - began)


def current() -> Meter | None:
    """The calling thread's meter, or None where nobody measures."""
    return _current.get()


def spent(*, device_seconds: float = 0.0, read: int = 0, written: int = 0) -> None:
    """Add to the calling thread's meter, if there is one."""
    if meter := _current.get():
        meter.add(device_seconds=device_seconds, read=read, written=written)
