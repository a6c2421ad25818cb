"""An object store behind the S3 protocol, and read access to producers' buckets."""

import base64
import hashlib
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from packshot.errors import (
    ConfigurationError,
    ImageTooLarge,
    NotFound,
    StorageUnavailable,
)
from packshot.store.blobs.base import CHECK_PREFIX, check_key
from packshot.store.blobs.s3_errors import PRECONDITION_FAILED, status_of, translate

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

#: Seconds to wait for a connection: a store in the same region answers in milliseconds.
CONNECT_TIMEOUT_S = 5
#: Seconds of silence before a request counts as lost; some stores stall for seconds when several
#: writers race for one key.
READ_TIMEOUT_S = 30
#: Tries of one request, with the SDK's own backoff; longer outages are the task's business.
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class S3Options:
    """How to reach an S3-compatible store.

    Without keys the SDK's usual chain decides (environment, profile, role). `path_style` puts the
    bucket into the path instead of the host name, which every store but AWS itself wants.
    `connections` is the size of the pool: one per thread that uses the store at once.
    """

    endpoint: str | None = None
    region: str = "us-east-1"
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    path_style: bool | None = None
    connections: int = 32

    def client(self) -> "S3Client":
        """Make a client; it is thread-safe. Raises `ConfigurationError`."""
        if (self.access_key is None) != (self.secret_key is None):
            raise ConfigurationError("Give both the S3 access key and the secret key, or neither.")
        path_style = self.path_style if self.path_style is not None else self.endpoint is not None
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=self.connections,
            s3={"addressing_style": "path" if path_style else "auto"},
            signature_version="s3v4",
            # Our calls are typed; looking at every argument again is a fifteenth of a request.
            parameter_validation=False,
            # The SDK's newer checksums are unknown to many stores; Content-MD5 is known to all.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        try:
            return boto3.session.Session().client(
                "s3",
                endpoint_url=self.endpoint,
                region_name=self.region,
                aws_access_key_id=self.access_key,
                aws_secret_access_key=self.secret_key,
                config=config,
            )
        except (BotoCoreError, ValueError) as error:
            raise ConfigurationError(f"The S3 settings are wrong: {error}.") from error


class S3Blobs:
    """A `BlobStore` in one bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self.bucket = bucket
        self._client = client

    def put(self, key: str, data: bytes, media_type: str) -> None:
        """See `BlobStore.put`. The store compares the bytes with their MD5 sum."""
        check_key(key)
        with self._translated(key):
            self._client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=data,
                ContentType=media_type,
                ContentMD5=_md5(data),
            )

    def put_new(self, key: str, data: bytes, media_type: str) -> bool:
        """See `BlobStore.put_new`. Needs a store that honours `If-None-Match: *`."""
        check_key(key)
        try:
            self._client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=data,
                ContentType=media_type,
                ContentMD5=_md5(data),
                IfNoneMatch="*",
            )
        except ClientError as error:
            if status_of(error) == PRECONDITION_FAILED:
                return False
            raise translate(error, self.bucket, key) from error
        except BotoCoreError as error:
            raise translate(error, self.bucket, key) from error
        return True

    def get(self, key: str) -> bytes:
        """See `BlobStore.get`."""
        check_key(key)
        with self._translated(key):
            return _read(self._client, self.bucket, key, None)

    def size(self, key: str) -> int | None:
        """See `BlobStore.size`."""
        check_key(key)
        try:
            with self._translated(key):
                return self._client.head_object(Bucket=self.bucket, Key=key)["ContentLength"]
        except NotFound:
            return None

    def delete(self, key: str) -> None:
        """See `BlobStore.delete`."""
        check_key(key)
        with self._translated(key):
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def list(self, prefix: str) -> Iterator[str]:
        """See `BlobStore.list`."""
        pages = self._client.get_paginator("list_objects_v2")
        with self._translated(prefix):
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    yield item["Key"]

    def sweep(self, older: timedelta) -> int:
        """See `BlobStore.sweep`."""
        return self.prune(CHECK_PREFIX, older)

    def prune(self, prefix: str, older: timedelta) -> int:
        """See `BlobStore.prune`."""
        pages = self._client.get_paginator("list_objects_v2")
        before = datetime.now(UTC) - older
        deleted = 0
        with self._translated(None):
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    if item["LastModified"] < before:
                        self._client.delete_object(Bucket=self.bucket, Key=item["Key"])
                        deleted += 1
        return deleted

    def check(self) -> None:
        """See `BlobStore.check`. Raises `StorageUnavailable` where nobody answers."""
        key = f"{CHECK_PREFIX}{uuid.uuid4().hex}"
        with self._translated(None):
            # Some stores make a bucket for whoever writes into it: a mistyped name would work.
            self._client.head_bucket(Bucket=self.bucket)
            self._client.put_object(Bucket=self.bucket, Key=key, Body=b"packshot")
            self._client.get_object(Bucket=self.bucket, Key=key)["Body"].close()
            self._client.delete_object(Bucket=self.bucket, Key=key)

    @contextmanager
    def _translated(self, key: str | None) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            raise translate(error, self.bucket, key) from error


class S3Buckets:
    """Reads what producers name as `s3://bucket/key`; which buckets they may name others decide."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def read(self, bucket: str, key: str, limit: int) -> bytes:
        """Read one object of at most `limit` bytes.

        Raises:
            NotFound: there is no such bucket or object.
            ImageTooLarge: it has more bytes.
            ConfigurationError: Packshot may not read it.
            StorageUnavailable: try again.
        """
        try:
            return _read(self._client, bucket, key, limit)
        except (ClientError, BotoCoreError) as error:
            raise translate(error, bucket, key, foreign=True) from error


def _read(client: "S3Client", bucket: str, key: str, limit: int | None) -> bytes:
    response = client.get_object(Bucket=bucket, Key=key)
    expected = response["ContentLength"]
    with closing(response["Body"]) as body:
        if limit is not None and expected > limit:
            raise ImageTooLarge(
                f"s3://{bucket}/{key} has {expected:,} bytes, the limit is {limit:,}."
            )
        data = body.read()
    if len(data) != expected:
        raise StorageUnavailable(
            f"s3://{bucket}/{key} broke off after {len(data):,} of {expected:,} bytes."
        )
    return data


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
