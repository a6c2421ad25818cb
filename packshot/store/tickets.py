"""What goes into the ledger and what comes out of it: frozen values, no rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from packshot.contract import Job, Step
from packshot.meter import Cost
from packshot.store.tables import JobStatus

#: How long a person may take where no policy says it.
DUE_IN = timedelta(days=1)


class Verdict(StrEnum):
    """What to do with a delivered step."""

    RUN = "run"  # nobody has finished this step: do it, and commit with the fence that was given
    HAND_ON = "hand_on"  # done, and this message carries the job on: go on at `Ticket.onward`
    ALONE = "alone"  # a suspect, its last holder died: begin again with the process to itself
    WAIT = "wait"  # another attempt holds a living lease: look again later
    DROP = "drop"  # another message has the job, or it is settled
    POISON = "poison"  # too many holders died: the job has failed, a person has to look


@dataclass(frozen=True, slots=True)
class Submitted:
    """Answer to `submit`. `start` is True while no step of the job has begun."""

    id: UUID
    created: bool
    start: bool


@dataclass(frozen=True, slots=True)
class Ticket:
    """Answer to `begin`: the verdict and, for RUN, everything that the step needs to know."""

    verdict: Verdict
    id: UUID
    step: Step
    job: Job
    created_at: datetime
    fence: int = 0
    attempt: int = 0
    results: Mapping[Step, dict[str, Any]] = field(default_factory=dict)
    #: What a person said about this step's result.
    correction: Mapping[str, Any] | None = None
    #: What this step had found before a person reopened the job; None where its input changed too.
    before: Mapping[str, Any] | None = None
    #: Since when the step waited and when it began, by the database's clock; None where it did not.
    queued_at: datetime | None = None
    began_at: datetime | None = None
    #: Who holds the attempt, and the step whose message it was begun under.
    worker: str = ""
    carrier: Step | None = None
    #: For HAND_ON: the step at which the job goes on.
    onward: Step | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """An object that a step has put into the store."""

    name: str
    key: str
    media_type: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Known:
    """A result that another job with the same input has computed already."""

    result: dict[str, Any]
    confidence: float | None
    artifacts: tuple[Artifact, ...]


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a job ends: the last step brings it, and its commit writes it."""

    status: JobStatus
    result: dict[str, Any]
    reasons: tuple[dict[str, Any], ...]
    confidence: float | None
    audit_probability: float | None
    event: dict[str, Any]
    #: The version of the policy that routed the job.
    policy: str | None = None
    #: How long a person may take, where the job goes to one.
    due_in: timedelta = DUE_IN
    #: Whether a person has decided: the event is then `job.reviewed`.
    reviewed: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step found out. `result` is JSON; `reused` says that another job had computed it."""

    result: dict[str, Any]
    confidence: float | None = None
    artifacts: tuple[Artifact, ...] = ()
    seconds: float = 0.0
    input_key: str | None = None
    reused: bool = False
    settlement: Settlement | None = None
    cost: Cost = field(default_factory=Cost)
