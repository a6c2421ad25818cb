"""Files that are whole or not there: hashing, atomic writing, the lock of a cache folder."""

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from packshot.errors import StorageUnavailable

#: Bytes that are read at once: large enough for the disk, small enough to stay in the CPU's cache.
BLOCK = 1 << 20

_SCRATCH = ".pull-"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomic(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old one or the new one, whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def disk(cache: Path) -> Iterator[None]:
    """Turn a full, read-only or vanished disk into a sentence."""
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(
            f"The weights cannot be written to {cache}: {error.strerror or error}. "
            "Free space there, or name another folder with --cache."
        ) from error


@contextlib.contextmanager
def exclusive(cache: Path, waiting: Callable[[], None]) -> Iterator[bool]:
    """Hold the lock of a cache folder; call `waiting` once when another process has it.

    Yields whether there is a lock: some network file systems know none. It only saves double
    work, since what is written is renamed into place when it is whole.
    """
    if sys.platform == "win32":
        yield False
        return
    import fcntl

    with (cache / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            yield False
            return
        yield True


@contextlib.contextmanager
def scratch(cache: Path) -> Iterator[Path]:
    """A folder on the cache's own file system, so that moving out of it is one step."""
    folder = Path(tempfile.mkdtemp(dir=cache, prefix=_SCRATCH))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(cache: Path) -> None:
    """Remove what killed pulls left behind; only for who holds the lock."""
    for left in cache.glob(f"{_SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)
