"""Every failure has a name, and its class decides what happens next.

PackshotError
├── Rejected            the message or the picture can never work: no retry
│   ├── InvalidMessage       invalid_message
│   ├── Conflict             conflict
│   ├── UnsupportedFormat    unsupported_format
│   ├── CorruptImage         corrupt_image
│   ├── ImageTooLarge        image_too_large
│   ├── ImageTooSmall        image_too_small
│   ├── NotFound             not_found
│   ├── SourceForbidden      source_forbidden
│   └── ForbiddenAddress     forbidden_address
├── Transient           storage, database, broker, network, throttling: try again, with backoff
│   ├── StorageUnavailable   storage_unavailable
│   ├── DatabaseUnavailable  database_unavailable
│   ├── BrokerUnavailable    broker_unavailable
│   └── SourceUnavailable    source_unavailable
├── ModelFailure        the model or its runtime failed
│   ├── OutOfMemory          out_of_memory
│   ├── StepTimeout          step_timeout
│   ├── ModelMissing         model_missing
│   └── ModelForbidden       model_forbidden
├── Poison              too many attempts: a person has to look     poison
├── Fenced              a newer attempt holds the step: this one's work is dropped
├── Refused             what a person asked for is not done; nothing was changed
│   ├── ItemTaken            item_taken
│   ├── ClaimLost            claim_lost
│   ├── AlreadyDecided       already_decided
│   ├── InvalidDecision      invalid_decision
│   ├── NotAllowed           not_allowed
│   ├── SignInFailed         sign_in_failed
│   └── TooManyAttempts      too_many_attempts
└── ConfigurationError  the installation is wrong, not the job: it waits until that is mended

Vendor errors are translated at the edge where they appear (`raise ... from error`) and never travel
further. The message of an error is one sentence that says what a person can do about it: it is
stored in the job's row and sent in the event.
"""

from enum import StrEnum
from typing import ClassVar


class Outcome(StrEnum):
    """What a worker does with a step that raised."""

    REJECT = "reject"  # record the failure and finish the job: trying again cannot help
    RETRY = "retry"  # back off and try again; not the job's fault
    FAIL = "fail"  # record the failure; a person may resume the job with `packshot retry`
    DROP = "drop"  # somebody else owns this step now


class PackshotError(Exception):
    """Base of every error that Packshot raises on purpose.

    `code` is stable and machine-readable; `str(error)` is the sentence for a person.
    """

    code: ClassVar[str] = "internal_error"
    outcome: ClassVar[Outcome] = Outcome.FAIL


class Rejected(PackshotError):
    """The message or the picture can never work, however often it is tried."""

    code = "rejected"
    outcome = Outcome.REJECT


class InvalidMessage(Rejected):
    """The message is not a valid job of this contract version."""

    code = "invalid_message"


class Conflict(Rejected):
    """The same (source, job_id) was submitted before with other content."""

    code = "conflict"


class UnsupportedFormat(Rejected):
    """The bytes are not a picture in a format that Packshot reads."""

    code = "unsupported_format"


class CorruptImage(Rejected):
    """The bytes claim a known format but cannot be decoded."""

    code = "corrupt_image"


class ImageTooLarge(Rejected):
    """The picture has more bytes or pixels than the installation allows."""

    code = "image_too_large"


class ImageTooSmall(Rejected):
    """The picture has too few pixels to show a product."""

    code = "image_too_small"


class NotFound(Rejected):
    """The named picture, object or job does not exist."""

    code = "not_found"


class SourceForbidden(Rejected):
    """Packshot may not read what the producer named: grant it read access and submit again."""

    code = "source_forbidden"


class ForbiddenAddress(Rejected):
    """The address points where Packshot does not fetch from (private network, other scheme)."""

    code = "forbidden_address"


class Transient(PackshotError):
    """Something outside the job failed and may work again in a moment."""

    code = "transient"
    outcome = Outcome.RETRY


class StorageUnavailable(Transient):
    """The object store refused, timed out or answered with a server error."""

    code = "storage_unavailable"


class DatabaseUnavailable(Transient):
    """The database is down, failing over, or out of connections."""

    code = "database_unavailable"


class BrokerUnavailable(Transient):
    """The broker did not confirm a publish in time."""

    code = "broker_unavailable"


class SourceUnavailable(Transient):
    """The producer's server did not deliver the picture (time-out, 5xx, 429, cut connection)."""

    code = "source_unavailable"


class ModelFailure(PackshotError):
    """A model or its runtime failed on this input."""

    code = "model_failure"


class OutOfMemory(ModelFailure):
    """The device ran out of memory, even with this item alone."""

    code = "out_of_memory"


class StepTimeout(ModelFailure):
    """The step took longer than it may and was cancelled."""

    code = "step_timeout"


class ModelMissing(ModelFailure):
    """The weights are not on this machine: `packshot models pull` brings them."""

    code = "model_missing"


class ModelForbidden(ModelFailure):
    """The licence of the weights forbids the use that was asked for."""

    code = "model_forbidden"


class Poison(PackshotError):
    """The step was attempted too often without an answer; the job waits for a person."""

    code = "poison"


class Fenced(PackshotError):
    """A newer attempt holds this step; a late result must not overwrite its work."""

    code = "fenced"
    outcome = Outcome.DROP


class Refused(PackshotError):
    """A person asked for something that cannot be done now, or not by this person."""

    code = "refused"
    outcome = Outcome.DROP


class ItemTaken(Refused):
    """Another reviewer holds this item."""

    code = "item_taken"

    def __init__(self, holder: str) -> None:
        super().__init__(f"{holder} is working on this item.")
        #: The name alone, for sentences in other languages.
        self.holder = holder


class ClaimLost(Refused):
    """The lease on this item ended, or it was given to somebody else."""

    code = "claim_lost"


class AlreadyDecided(Refused):
    """Somebody has decided this item; a decision is written once."""

    code = "already_decided"


class InvalidDecision(Refused):
    """The decision contradicts itself or the job."""

    code = "invalid_decision"


class NotAllowed(Refused):
    """This person's role does not allow it."""

    code = "not_allowed"


class SignInFailed(Refused):
    """Login and password do not belong together, or the account is disabled."""

    code = "sign_in_failed"


class TooManyAttempts(Refused):
    """Too many failed sign-ins: wait before the next one."""

    code = "too_many_attempts"


class ConfigurationError(PackshotError):
    """A setting or an installed part is missing or contradictory."""

    code = "configuration"
    # Keys that somebody has changed must not fail every job that comes by in the meantime.
    outcome = Outcome.RETRY
