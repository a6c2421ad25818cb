"""One door for every kind of address that a message may name."""

import re
import ssl
import stat
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packshot.errors import ForbiddenAddress, ImageTooLarge, InvalidMessage, NotFound
from packshot.fetch.address import Resolver
from packshot.fetch.address import resolve as ask_system
from packshot.fetch.data_uri import read_data_uri
from packshot.fetch.http import Connect, HttpSource, dial
from packshot.fetch.policy import BucketReader, Fetched, Policy

#: Two letters at least: a single one is a drive.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_UNNAMED = "image"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: A name longer than this is cut at its front: the ending is at the back (characters).
_MAX_NAME = 200


class Fetcher:
    """Reads what a message's `image.uri` names. Thread-safe; make one and keep it.

    Args:
        policy: what may be named.
        buckets: reads `s3://`; without it such addresses are refused.
        resolve: from a host name to its IP addresses.
        connect: from an IP address to a connected socket.
        tls: certificate authorities for https; default: the system's.
    """

    def __init__(
        self,
        policy: Policy,
        buckets: BucketReader | None = None,
        *,
        resolve: Resolver = ask_system,
        connect: Connect = dial,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._buckets = buckets
        self._http = HttpSource(policy, resolve=resolve, connect=connect, tls=tls)

    def fetch(self, uri: str) -> Fetched:
        """Read one picture's bytes and its file name; nothing is decoded.

        Raises:
            ForbiddenAddress: the policy does not allow this address.
            InvalidMessage: the address is malformed.
            NotFound: nothing is there, or it is not given to us.
            ImageTooLarge: it has more bytes than the policy allows.
            UnsupportedFormat: a web server sent it packed.
            SourceUnavailable: a web server did not deliver it: try again.
            StorageUnavailable: the object store did not deliver it: try again.
        """
        found = _SCHEME.match(uri)
        scheme = found[1].lower() if found else ""
        match scheme:
            case "https" | "http":
                fetched = self._http.fetch(uri)
            case "s3":
                fetched = self._from_bucket(uri)
            case "data":
                fetched = read_data_uri(uri)
                if len(fetched.data) > self._policy.max_bytes:
                    raise self._too_large("The data: address")
            case "file" | "":
                fetched = self._from_file(uri, is_url=scheme == "file")
            case _:
                raise ForbiddenAddress(
                    f"The picture's address has the scheme {scheme[:20]!r}: "
                    "use https://, s3:// or a small data: address."
                )
        return Fetched(fetched.data, _clean(fetched.filename))

    def _from_bucket(self, uri: str) -> Fetched:
        # Keys may contain '?', '#' and '%': they are taken as they stand.
        bucket, _, key = uri[len("s3://") :].partition("/")
        if not uri[2:].startswith("://") or not _BUCKET.fullmatch(bucket) or not key:
            raise InvalidMessage("Write the picture's address as s3://bucket/key.")
        allowed = self._policy.allowed_buckets
        if self._buckets is None or (allowed is not None and bucket not in allowed):
            raise ForbiddenAddress(
                f"The bucket {bucket} is not read from: name it in PACKSHOT_SOURCE_BUCKETS."
            )
        data = self._buckets.read(bucket, key, self._policy.max_bytes)
        return Fetched(data, key.rsplit("/", 1)[-1])

    def _from_file(self, uri: str, *, is_url: bool) -> Fetched:
        if not self._policy.allow_files:
            raise ForbiddenAddress(
                "File paths are not fetched here: use https://, s3:// or a small data: address."
            )
        path = _path(uri) if is_url else Path(uri)
        try:
            status = path.stat()
            # A device or pipe may never end.
            if not stat.S_ISREG(status.st_mode):
                raise NotFound(f"{path} is not a file.")
            if status.st_size > self._policy.max_bytes:
                raise self._too_large(str(path))
            with path.open("rb") as file:
                # It may have grown in between.
                data = file.read(self._policy.max_bytes + 1)
        except (OSError, ValueError) as error:
            raise NotFound(f"{path} cannot be read: {_cause(error)}.") from error
        if len(data) > self._policy.max_bytes:
            raise self._too_large(str(path))
        return Fetched(data, path.name)

    def _too_large(self, what: str) -> ImageTooLarge:
        return ImageTooLarge(f"{what} has more than {self._policy.max_bytes:,} bytes.")


def _path(uri: str) -> Path:
    parts = urlsplit(uri)
    if parts.netloc not in {"", "localhost"}:
        raise ForbiddenAddress("file:// addresses name files of this machine: file:///folder/name.")
    return Path(url2pathname(parts.path))


def _clean(name: str) -> str:
    """A name without folders and control characters; storing it safely is others' business."""
    last = _CONTROL.sub("", name.replace("\\", "/").rsplit("/", 1)[-1]).strip()
    return last[-_MAX_NAME:] if last not in {"", ".", ".."} else _UNNAMED


def _cause(error: OSError | ValueError) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
