"""Pictures in memory, so that one process reads and decodes them once for all of its stages."""

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

#: Bytes of pixels kept: some seven photos of 12 megapixels, more than a process has in flight.
DEFAULT_BYTES = 256 * 1024 * 1024


class PixelCache:
    """Least recently used arrays by object key, bounded in bytes. Thread-safe.

    Arrays are handed out read-only, since several threads may hold the same one.
    """

    def __init__(self, max_bytes: int = DEFAULT_BYTES) -> None:
        self._max = max_bytes
        self._held = 0
        self._arrays: OrderedDict[str, Pixels] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """Bytes that are kept now."""
        return self._held

    def get(self, key: str) -> Pixels | None:
        """The array of `key`, or None."""
        with self._lock:
            found = self._arrays.get(key)
            if found is not None:
                self._arrays.move_to_end(key)
            return found

    def put(self, key: str, pixels: Pixels) -> None:
        """Keep `pixels`; the oldest make room. An array larger than the bound is not kept."""
        pixels.setflags(write=False)
        with self._lock:
            if key in self._arrays or pixels.nbytes > self._max:
                return
            self._arrays[key] = pixels
            self._held += pixels.nbytes
            while self._held > self._max:
                _, gone = self._arrays.popitem(last=False)
                self._held -= gone.nbytes

    def drop(self, key: str) -> None:
        """Keep `key` no longer; dropping what is not there is harmless."""
        with self._lock:
            gone = self._arrays.pop(key, None)
            if gone is not None:
                self._held -= gone.nbytes
