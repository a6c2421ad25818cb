"""An object store in a folder: the embedded default."""

import errno
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from packshot.errors import ConfigurationError, NotFound, StorageUnavailable
from packshot.store.blobs.base import CHECK_PREFIX, check_key

#: Where bytes lie until they are complete: on the same file system as the objects.
_INCOMING = ".incoming"
#: Problems of the installation; everything else may pass.
_WRONG_SETUP = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENOTSUP}


class FolderBlobs:
    """A `BlobStore` whose keys are paths under one folder; `media_type` is not kept."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def put(self, key: str, data: bytes, media_type: str) -> None:  # noqa: ARG002
        """See `BlobStore.put`. The bytes are on disk when this returns."""
        target = self._path(key)
        with _translated(key), self._incoming(data) as source:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
            _sync_folder(target.parent)

    def put_new(self, key: str, data: bytes, media_type: str) -> bool:  # noqa: ARG002
        """See `BlobStore.put_new`. Needs a file system with hard links."""
        target = self._path(key)
        if target.exists():
            return False
        with _translated(key), self._incoming(data) as source:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                # Unlike a rename, a link never replaces what is there.
                os.link(source, target)
            except FileExistsError:
                return False
            _sync_folder(target.parent)
            return True

    def get(self, key: str) -> bytes:
        """See `BlobStore.get`."""
        path = self._path(key)
        with _translated(key):
            try:
                return path.read_bytes()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
                raise NotFound(f"There is no object {key}.") from error

    def size(self, key: str) -> int | None:
        """See `BlobStore.size`."""
        path = self._path(key)
        with _translated(key):
            return path.stat().st_size if path.is_file() else None

    def delete(self, key: str) -> None:
        """See `BlobStore.delete`."""
        path = self._path(key)
        with _translated(key):
            if path.is_file():
                path.unlink(missing_ok=True)

    def list(self, prefix: str) -> Iterator[str]:
        """See `BlobStore.list`."""
        for folder, folders, files in os.walk(self.root):
            here = Path(folder)
            if here == self.root and _INCOMING in folders:
                folders.remove(_INCOMING)
            for name in files:
                key = (here / name).relative_to(self.root).as_posix()
                if key.startswith(prefix):
                    yield key

    def sweep(self, older: timedelta) -> int:
        """See `BlobStore.sweep`."""
        return sum(
            _delete_old(self.root.glob(pattern), older)
            for pattern in (f"{_INCOMING}/*", f"{CHECK_PREFIX}*")
        )

    def prune(self, prefix: str, older: timedelta) -> int:
        """See `BlobStore.prune`."""
        return _delete_old((self.root / key for key in self.list(prefix)), older)

    def check(self) -> None:
        """See `BlobStore.check`. Makes the folder where it does not exist."""
        key = f"{CHECK_PREFIX}{uuid.uuid4().hex}"
        self.put(key, b"packshot", "text/plain")
        self.delete(key)

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    @contextmanager
    def _incoming(self, data: bytes) -> Iterator[Path]:
        """A complete, synced file with these bytes; it is gone afterwards unless it was moved."""
        path = self.root / _INCOMING / uuid.uuid4().hex
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb") as file:
                file.write(data)
                file.flush()
                # The ledger must never name an object that a power cut has emptied.
                os.fsync(file.fileno())
            yield path
        finally:
            path.unlink(missing_ok=True)


def _delete_old(paths: Iterable[Path], older: timedelta) -> int:
    before = time.time() - older.total_seconds()
    deleted = 0
    for path in paths:
        with _translated(path.name), suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
                deleted += 1
    return deleted


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _raise(key, error)


def _raise(key: str, error: OSError) -> NoReturn:
    if error.errno in _WRONG_SETUP:
        raise ConfigurationError(
            f"The store's folder cannot be used for {key}: {error}. Check the owner and the rights "
            "of the folder, and that its file system knows hard links."
        ) from error
    raise StorageUnavailable(
        f"The store's folder failed for {key}: {error}. Check the disk and its free space."
    ) from error


def _sync_folder(folder: Path) -> None:
    """Make a new name survive a power cut, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
