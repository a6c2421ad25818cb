"""What may be fetched, and what comes back."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Policy:
    """What an installation lets producers name.

    Attributes:
        max_bytes: largest photo, bytes.
        deadline_s: one download from the first look-up to the last byte, redirects included.
        allow_http: plain http:// too.
        allow_files: file:// and bare paths; only where the producer is the user of this machine.
        allowed_buckets: buckets that s3:// may name; None for any that the keys can read.
        private_hosts: host names (or addresses) that may be inside the network and on any port: an
            in-house CDN. Link-local addresses stay out of reach even then: clouds give out keys
            there.
    """

    max_bytes: int = 50 * 1024 * 1024
    deadline_s: float = 60.0
    allow_http: bool = False
    allow_files: bool = False
    allowed_buckets: tuple[str, ...] | None = ()
    private_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """A photo as the producer stored it, and the last part of its name ("image" for none)."""

    data: bytes
    filename: str


class BucketReader(Protocol):
    """Reads objects from producers' buckets."""

    def read(self, bucket: str, key: str, limit: int) -> bytes:
        """The object's bytes.

        Raises:
            NotFound: there is no such bucket or object.
            ImageTooLarge: it has more than `limit` bytes.
            ConfigurationError: it may not be read.
            StorageUnavailable: try again.
        """
