"""What an object store can do, and which names its objects may have."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Protocol

from packshot.errors import ForbiddenAddress

#: Longest key in bytes of UTF-8: the limit of S3.
MAX_KEY_BYTES = 1024
#: Longest part between two slashes in bytes of UTF-8: the limit of common file systems.
MAX_PART_BYTES = 255

#: What the names of objects begin with that `check` writes, reads and deletes.
CHECK_PREFIX = "check-"
#: What the names of copies begin with that pages show; each can be made again from its original.
VIEW_PREFIX = "views/"

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")


class BlobStore(Protocol):
    """Bytes under names such as `work/<sha256>/image.png`. Thread-safe.

    Every method may raise `StorageUnavailable` (try again), `ConfigurationError` (rights, bucket or
    disk are wrong) and, for a key that breaks the rules of `check_key`, `ForbiddenAddress`.
    """

    def put(self, key: str, data: bytes, media_type: str) -> None:
        """Store an object: readers see the old bytes or the new ones, never a part.

        Writing the same bytes under the same key again is harmless.
        """

    def put_new(self, key: str, data: bytes, media_type: str) -> bool:
        """Store an object unless the key is taken; of several writers exactly one gets True.

        After a lost connection a second try may answer False although the first one had stored
        the bytes: treat False as "it is there", not as "somebody else was faster".
        """

    def get(self, key: str) -> bytes:
        """Read a whole object. Raises `NotFound`."""

    def size(self, key: str) -> int | None:
        """The object's size in bytes; None where there is none."""

    def delete(self, key: str) -> None:
        """Delete an object; deleting what is not there is harmless."""

    def list(self, prefix: str) -> Iterator[str]:
        """Every key that starts with this text, in no particular order."""

    def sweep(self, older: timedelta) -> int:
        """Delete what a writer or a check left behind that died; returns how many there were.

        Only temporary objects, and only those older than `older`: nobody is at work on them.
        """

    def prune(self, prefix: str, older: timedelta) -> int:
        """Delete the objects below `prefix` that were written more than `older` ago.

        Returns how many there were. For what can be made again, such as `VIEW_PREFIX`.
        """

    def check(self) -> None:
        """Raise `ConfigurationError` unless objects can be written, read and deleted."""


def check_key(key: str) -> str:
    """Return a key that is safe in every store.

    Raises:
        ForbiddenAddress: it is empty or too long, starts with a slash, has an empty part, a part
            of dots that would leave the store, a backslash or a control character.
    """
    parts = key.split("/")
    if (
        _FORBIDDEN.search(key)
        or any(part in {"", ".", ".."} for part in parts)
        or _bytes(key) > MAX_KEY_BYTES
        or any(_bytes(part) > MAX_PART_BYTES for part in parts)
    ):
        raise ForbiddenAddress(
            f"{key[:80]!r} is no object name: use parts of 1 to {MAX_PART_BYTES} bytes, joined by "
            "slashes, without '.' and '..', backslashes and control characters."
        )
    return key


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
