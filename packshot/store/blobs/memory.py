"""An object store in this process's memory: for tests, and for whoever tests against Packshot."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

from packshot.errors import NotFound
from packshot.store.blobs.base import check_key


class MemoryBlobs:
    """A `BlobStore` that forgets everything when the process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[str, bytes] = {}
        self._written: dict[str, float] = {}
        #: What was said about each object when it was written, for assertions.
        self.media_types: dict[str, str] = {}

    def put(self, key: str, data: bytes, media_type: str) -> None:
        """See `BlobStore.put`."""
        check_key(key)
        with self._lock:
            self._write(key, data, media_type)

    def put_new(self, key: str, data: bytes, media_type: str) -> bool:
        """See `BlobStore.put_new`."""
        check_key(key)
        with self._lock:
            if key in self._objects:
                return False
            self._write(key, data, media_type)
            return True

    def get(self, key: str) -> bytes:
        """See `BlobStore.get`."""
        check_key(key)
        with self._lock:
            try:
                return self._objects[key]
            except KeyError as error:
                raise NotFound(f"There is no object {key}.") from error

    def size(self, key: str) -> int | None:
        """See `BlobStore.size`."""
        check_key(key)
        with self._lock:
            data = self._objects.get(key)
            return None if data is None else len(data)

    def delete(self, key: str) -> None:
        """See `BlobStore.delete`."""
        check_key(key)
        with self._lock:
            self._objects.pop(key, None)
            self._written.pop(key, None)
            self.media_types.pop(key, None)

    def list(self, prefix: str) -> Iterator[str]:
        """See `BlobStore.list`."""
        with self._lock:
            keys = [key for key in self._objects if key.startswith(prefix)]
        return iter(keys)

    def sweep(self, older: timedelta) -> int:  # noqa: ARG002
        """Whoever wrote here died with what it left behind."""
        return 0

    def prune(self, prefix: str, older: timedelta) -> int:
        """See `BlobStore.prune`."""
        before = time.monotonic() - older.total_seconds()
        with self._lock:
            old = [key for key, at in self._written.items() if at < before]
        old = [key for key in old if key.startswith(prefix)]
        for key in old:
            self.delete(key)
        return len(old)

    def check(self) -> None:
        """Memory is always there."""

    def _write(self, key: str, data: bytes, media_type: str) -> None:
        self._objects[key] = bytes(data)
        self._written[key] = time.monotonic()
        self.media_types[key] = media_type
