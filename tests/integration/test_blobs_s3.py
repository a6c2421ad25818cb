"""Every way in which an S3 server lets one down becomes an error of ours."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from packshot.errors import (
    ConfigurationError,
    ImageTooLarge,
    NotFound,
    SourceForbidden,
    StorageUnavailable,
)
from packshot.store.blobs import open_blobs
from packshot.store.blobs.s3 import S3Blobs, S3Buckets, S3Options
from tasks.backoff import insist
from tests.support.cutproxy import CutProxy
from tests.support.s3_server import Bucket, S3Server

pytestmark = pytest.mark.services


def _options(bucket: Bucket) -> S3Options:
    return S3Options(
        endpoint=bucket.endpoint, access_key=bucket.access_key, secret_key=bucket.secret_key
    )


def _behind(proxy: CutProxy, bucket: Bucket) -> S3Blobs:
    options = replace(_options(bucket), endpoint=f"http://127.0.0.1:{proxy.port}")
    return S3Blobs(options.client(), bucket.name)


def test_the_media_type_reaches_the_store(s3: Bucket) -> None:
    blobs = open_blobs(s3.url, access_key=s3.access_key, secret_key=s3.secret_key)
    blobs.put("work/a", b"bytes", "image/webp")
    blobs.put_new("work/b", b"bytes", "image/png")
    kinds = [s3.client().head_object(Bucket=s3.name, Key=f"work/{k}")["ContentType"] for k in "ab"]
    assert kinds == ["image/webp", "image/png"]


def test_a_wrong_secret_is_a_wrong_setting(s3: Bucket) -> None:
    blobs = open_blobs(s3.url, access_key=s3.access_key, secret_key="wrong")
    with pytest.raises(ConfigurationError, match="check the keys"):
        blobs.check()
    with pytest.raises(ConfigurationError, match="check the keys"):
        blobs.put("work/x", b"bytes", "image/png")


def test_a_missing_bucket_is_a_wrong_setting(s3: Bucket) -> None:
    blobs = S3Blobs(_options(s3).client(), "no-such-bucket")
    with pytest.raises(ConfigurationError, match="no bucket no-such-bucket"):
        blobs.check()
    with pytest.raises(ConfigurationError, match="no bucket no-such-bucket"):
        blobs.get("work/x")


def test_a_dead_server_may_come_back(private_s3: S3Server) -> None:
    bucket = private_s3.create_bucket()
    blobs = S3Blobs(_options(bucket).client(), bucket.name)
    blobs.put("work/x", b"bytes", "image/png")

    private_s3.kill()
    with pytest.raises(StorageUnavailable, match="endpoint"):
        blobs.get("work/x")
    with pytest.raises(StorageUnavailable, match="endpoint"):
        blobs.check()
    private_s3.start()

    # It lists buckets before it has found its volumes, and says 500 meanwhile: what may pass is
    # tried again, as every step does.
    assert insist(lambda: blobs.get("work/x"), tries=10) == b"bytes"


def test_a_body_that_breaks_off_is_never_taken_for_the_object(
    s3: Bucket, cut: Callable[[int], CutProxy]
) -> None:
    proxy = cut(int(s3.endpoint.rsplit(":", 1)[1]))
    blobs = _behind(proxy, s3)
    blobs.put("work/x", b"x" * 1_000_000, "image/png")
    proxy.reset()
    proxy.truncate_after = 500_000
    with pytest.raises(StorageUnavailable):
        blobs.get("work/x")
    proxy.heal()
    assert len(blobs.get("work/x")) == 1_000_000


def test_a_short_cut_is_ridden_out_by_the_sdk(s3: Bucket, cut: Callable[[int], CutProxy]) -> None:
    proxy = cut(int(s3.endpoint.rsplit(":", 1)[1]))
    blobs = _behind(proxy, s3)
    blobs.put("work/x", b"bytes", "image/png")
    proxy.reset()
    assert blobs.get("work/x") == b"bytes"


def test_a_producers_bucket(s3: Bucket) -> None:
    s3.client().put_object(Bucket=s3.name, Key="up load/ñ (1).jpg", Body=b"x" * 1000)
    buckets = S3Buckets(_options(s3).client())
    assert buckets.read(s3.name, "up load/ñ (1).jpg", 1000) == b"x" * 1000
    with pytest.raises(ImageTooLarge, match="1,000 bytes, the limit is 999"):
        buckets.read(s3.name, "up load/ñ (1).jpg", 999)
    with pytest.raises(NotFound):
        buckets.read(s3.name, "none", 1000)
    with pytest.raises(NotFound):
        buckets.read("no-such-bucket", "none", 1000)


def test_a_producers_bucket_that_we_may_not_read(s3: Bucket) -> None:
    options = replace(_options(s3), secret_key="wrong")
    with pytest.raises(SourceForbidden, match="grant read access"):
        S3Buckets(options.client()).read(s3.name, "photo.jpg", 1000)
