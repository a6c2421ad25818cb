"""A store that counts the bytes that the step at hand moves."""

from collections.abc import Iterator
from datetime import timedelta

from packshot.meter import spent
from packshot.store.blobs.base import BlobStore


class MeteredBlobs:
    """Another store, with its bytes added to the calling thread's meter. A `BlobStore`."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store

    def put(self, key: str, data: bytes, media_type: str) -> None:
        """Store an object."""
        self._store.put(key, data, media_type)
        spent(written=len(data))

    def put_new(self, key: str, data: bytes, media_type: str) -> bool:
        """Store an object unless the key is taken; what was sent in vain has been sent, too."""
        fresh = self._store.put_new(key, data, media_type)
        spent(written=len(data))
        return fresh

    def get(self, key: str) -> bytes:
        """Read a whole object."""
        data = self._store.get(key)
        spent(read=len(data))
        return data

    def size(self, key: str) -> int | None:
        """The object's size."""
        return self._store.size(key)

    def delete(self, key: str) -> None:
        """Delete an object."""
        self._store.delete(key)

    def list(self, prefix: str) -> Iterator[str]:
        """Every key that starts with this text."""
        return self._store.list(prefix)

    def sweep(self, older: timedelta) -> int:
        """Delete abandoned temporary objects."""
        return self._store.sweep(older)

    def prune(self, prefix: str, older: timedelta) -> int:
        """Delete old objects."""
        return self._store.prune(prefix, older)

    def check(self) -> None:
        """Raise unless objects can be written, read and deleted."""
        self._store.check()
