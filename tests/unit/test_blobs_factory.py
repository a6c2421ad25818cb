"""What an address in the settings opens, and what is refused with a sentence."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from packshot.errors import ConfigurationError
from packshot.store.blobs import FolderBlobs, open_blobs
from packshot.store.blobs.s3 import S3Blobs, S3Options

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("file:///data/store", "/data/store"),
        ("file://localhost/data", "/data"),
        ("file:///data/with%20blank", "/data/with blank"),
    ],
    ids=["plain", "localhost", "escaped"],
)
def test_a_folder(url: str, root: str) -> None:
    blobs = open_blobs(url)
    assert isinstance(blobs, FolderBlobs)
    assert blobs.root == Path(root)


def _config(client: "S3Client") -> dict[str, Any]:
    return vars(client.meta.config)["_user_provided_options"]  # type: ignore[no-any-return]


def test_a_bucket_behind_an_endpoint() -> None:
    blobs = open_blobs(
        "s3://photos?endpoint=http://127.0.0.1:9&region=eu-west-3", access_key="a", secret_key="b"
    )
    assert isinstance(blobs, S3Blobs)
    assert blobs.bucket == "photos"
    meta = blobs._client.meta
    assert meta.endpoint_url == "http://127.0.0.1:9"
    assert meta.region_name == "eu-west-3"
    assert _config(blobs._client)["s3"] == {"addressing_style": "path"}


@pytest.mark.parametrize(
    ("path_style", "endpoint", "style"),
    [
        (None, None, "auto"),
        (None, "http://127.0.0.1:9", "path"),
        (False, "http://127.0.0.1:9", "auto"),
        (True, None, "path"),
    ],
    ids=["aws", "endpoint", "endpoint, virtual hosts", "aws, path"],
)
def test_addressing_style(path_style: bool | None, endpoint: str | None, style: str) -> None:
    options = S3Options(
        endpoint=endpoint, access_key="a", secret_key="b", path_style=path_style, connections=3
    )
    config = _config(options.client())
    assert config["s3"]["addressing_style"] == style
    assert config["max_pool_connections"] == 3


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://host/x", "scheme 'ftp'"),
        ("/just/a/path", "scheme ''"),
        ("file://server/share", "file:///absolute/path"),
        ("s3://", "s3://bucket"),
        ("s3://bucket/prefix", "without a path"),
        ("s3://key:secret@bucket", "Keys do not belong"),
        ("s3://bucket?secret=x", r"unknown parts: \['secret'\]"),
        ("s3://bucket?endpoint=nonsense", "The S3 settings are wrong"),
    ],
    ids=[
        "scheme",
        "path",
        "host",
        "no bucket",
        "prefix",
        "keys in the address",
        "unknown parameter",
        "endpoint",
    ],
)
def test_a_wrong_address_is_explained(url: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        open_blobs(url)


def test_half_a_pair_of_keys_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="both"):
        open_blobs("s3://bucket", access_key="only")


def test_options_hide_their_keys() -> None:
    shown = repr(S3Options(access_key="AKIA1", secret_key="hunter2"))
    assert "hunter2" not in shown
    assert "AKIA1" not in shown
