"""What the errors of an S3-compatible store mean."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)

from packshot.errors import (
    ConfigurationError,
    NotFound,
    PackshotError,
    SourceForbidden,
    SourceUnavailable,
    StorageUnavailable,
)

#: The answer to `If-None-Match: *` where the key is taken.
PRECONDITION_FAILED = 412

#: Codes that pass although their HTTP status says otherwise.
_PASSING = {
    "BadDigest",  # damaged on the way
    "ConditionalRequestConflict",  # another writer is in the middle of it
    "ExpiredToken",  # the SDK renews it
    "IncompleteBody",
    "InternalError",
    "OperationAborted",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
}
#: Errors of the SDK that no waiting cures.
_WRONG_SETUP = (
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)


def translate(
    error: ClientError | BotoCoreError, bucket: str, key: str | None, *, foreign: bool = False
) -> PackshotError:
    """The error of ours that says what to do; the caller raises it `from error`.

    Args:
        error: what the SDK raised.
        bucket: the bucket that was used.
        key: the object; None where the bucket itself was examined.
        foreign: whether a producer named the bucket, and not our own settings.
    """
    where = f"s3://{bucket}/{key}" if key is not None else f"s3://{bucket}"
    if isinstance(error, ClientError):
        return _of_answer(error, bucket, where, foreign)
    if isinstance(error, _WRONG_SETUP):
        return ConfigurationError(f"{where} cannot be used: {error}. Check the S3 settings.")
    return StorageUnavailable(
        f"The object store did not answer for {where} ({type(error).__name__}). "
        "Check that its endpoint can be reached."
    )


def status_of(error: ClientError) -> int:
    """The HTTP status of an answer; 0 where the SDK does not know it."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _of_answer(error: ClientError, bucket: str, where: str, foreign: bool) -> PackshotError:
    status = status_of(error)
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _PASSING or status in {0, 408, 409, 429} or status >= 500:
        return StorageUnavailable(
            f"The object store answered {status} {code} for {where}; it may work in a moment."
        )
    if (code == "NoSuchBucket" and not foreign) or (status == 404 and where == f"s3://{bucket}"):
        return ConfigurationError(f"There is no bucket {bucket}: make it or correct the setting.")
    if status == 404:
        return NotFound(f"There is no object {where}.")
    if code == "RequestTimeTooSkewed":
        # It passes for the job: another worker, whose clock is right, gets it.
        return StorageUnavailable(
            "The clock of this machine differs from the object store's: set it."
        )
    if foreign:
        return _of_foreign(status, code, where)
    if status in {401, 403}:
        return ConfigurationError(
            f"The object store refused access to {where} ({code}): check the keys, and that they "
            "may read, write, list and delete in this bucket."
        )
    return ConfigurationError(
        f"The object store answered {status} {code} for {where}: check the endpoint, the region "
        "and the name of the bucket."
    )


def _of_foreign(status: int, code: str, where: str) -> PackshotError:
    if status in {401, 403}:
        return SourceForbidden(
            f"Packshot may not read {where}, or it does not exist: grant read access to it."
        )
    return SourceUnavailable(f"The object store answered {status} {code} for {where}.")
