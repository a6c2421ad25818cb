"""One delivery of one message: whose turn it is, and where its way ends."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from packshot.contract import Lane, Step


class Next(StrEnum):
    """What becomes of the message."""

    HAND_ON = "hand_on"  # go on with the next step: publish it, then acknowledge
    STOP = "stop"  # acknowledge: the ledger knows why the chain ends here
    DEAD = "dead"  # reject it into the dead letters: a person has to look
    AGAIN = "again"  # put it back, and wait longer each time: something is down
    LATER = "later"  # put it back for a moment: another worker is at it, or was


#: Called with the job, the step and what becomes of its message.
Watch = Callable[[UUID, Step, Next], None]
#: Whether this process goes on with a step of a lane itself, without a message for it.
Onward = Callable[[Step, Lane], bool]


@dataclass(frozen=True, slots=True)
class End:
    """Where a delivery's way ends: what becomes of its message, and for HAND_ON what comes next."""

    fate: Next
    step: Step
    onward: Step | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message, at the step that is its turn now: its own, or a later one of the same job."""

    job: UUID
    step: Step
    #: The step that the message names.
    carrier: Step
    worker: str
    #: How often the message was put back before.
    handbacks: int


def nowhere(_step: Step, _lane: Lane) -> bool:
    """Publish a hop for each step."""
    return False
