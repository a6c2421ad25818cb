"""From an address in the settings to an object store."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit
from urllib.request import url2pathname

from packshot.errors import ConfigurationError
from packshot.store.blobs.base import BlobStore
from packshot.store.blobs.folder import FolderBlobs

if TYPE_CHECKING:
    from packshot.store.blobs.s3 import S3Buckets

_PARAMETERS = {"endpoint", "region", "path_style"}


def open_blobs(
    url: str,
    *,
    endpoint: str | None = None,
    access_key: str | None = None,
    secret_key: str | None = None,
    region: str = "us-east-1",
    path_style: bool | None = None,
) -> BlobStore:
    """Open the store at `file:///folder` or `s3://bucket`; nothing is contacted yet.

    Args:
        url: the address; `s3://bucket?endpoint=...&region=...&path_style=true` wins over the
            arguments. Keys never stand in it: addresses are logged.
        endpoint: of an S3-compatible store, `https://host:port`; None for AWS.
        access_key: None for the SDK's usual chain.
        secret_key: belongs to the access key.
        region: the region that requests are signed for.
        path_style: bucket in the path; default: wherever there is an endpoint.

    Raises:
        ConfigurationError: the address cannot be understood.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        if parts.netloc not in {"", "localhost"} or not parts.path:
            raise ConfigurationError("Write the store's folder as file:///absolute/path.")
        return FolderBlobs(Path(url2pathname(parts.path)))
    if parts.scheme != "s3":
        raise ConfigurationError(
            f"The object store's address has the scheme {parts.scheme!r}: "
            "use file:///folder or s3://bucket."
        )
    if "@" in parts.netloc:
        raise ConfigurationError("Keys do not belong into the store's address: set them apart.")
    if not parts.netloc or parts.path.strip("/"):
        raise ConfigurationError("Write the object store as s3://bucket, without a path.")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(given) - _PARAMETERS):
        raise ConfigurationError(f"The object store's address has unknown parts: {unknown}.")
    from packshot.store.blobs.s3 import S3Blobs, S3Options

    if "path_style" in given:
        path_style = given["path_style"].lower() in {"1", "true", "yes"}
    options = S3Options(
        endpoint=given.get("endpoint", endpoint),
        region=given.get("region", region),
        access_key=access_key,
        secret_key=secret_key,
        path_style=path_style,
    )
    return S3Blobs(options.client(), parts.netloc)


def open_buckets(
    *,
    endpoint: str | None = None,
    access_key: str | None = None,
    secret_key: str | None = None,
    region: str = "us-east-1",
    path_style: bool | None = None,
) -> "S3Buckets":
    """Read access to the buckets that producers name; arguments as for `open_blobs`."""
    from packshot.store.blobs.s3 import S3Buckets, S3Options

    options = S3Options(
        endpoint=endpoint,
        region=region,
        access_key=access_key,
        secret_key=secret_key,
        path_style=path_style,
    )
    return S3Buckets(options.client())
