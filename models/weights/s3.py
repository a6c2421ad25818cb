"""Weights in an S3-compatible store."""

from collections.abc import Callable
from pathlib import Path

from models.manifest import S3Source
from packshot.errors import ConfigurationError, SourceUnavailable


def download(
    source: S3Source,
    target: Path,
    *,
    started: Callable[[int, int | None], None],
    advance: Callable[[int], None],
) -> None:
    """Download an object to `target`; credentials come from where boto3 looks for them.

    Raises:
        ConfigurationError: when boto3 is not installed.
        SourceUnavailable: when the store does not deliver.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise ConfigurationError(
            "Weights from S3 need boto3: pip install 'packshot[worker]'."
        ) from error
    try:
        client = boto3.client(
            "s3", endpoint_url=source.endpoint, config=Config(s3={"addressing_style": "path"})
        )
        head = client.head_object(Bucket=source.bucket, Key=source.key)
        started(0, head["ContentLength"])
        client.download_file(source.bucket, source.key, str(target), Callback=advance)
    except (BotoCoreError, ClientError) as error:
        raise SourceUnavailable(f"{source} cannot be read: {error}.") from error
