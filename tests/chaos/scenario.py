"""What a scenario is: a fleet, what goes wrong with it, and which guards make it survive."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.world import World

#: Seconds that each step of the fakes takes: real work is never instant.
FAKE_SECONDS = 0.02


class Server(StrEnum):
    """A server that a scenario kills (`own`), or whose line it cuts (`lines`)."""

    RABBIT = "rabbit"
    POSTGRES = "postgres"
    S3 = "s3"


class Guard(StrEnum):
    """A measure of the product that can be taken away, to show that the suite notices."""

    LATE_ACK = "late ack"  # acknowledge when the step is handed on, not when it arrives
    LATE_INTAKE = "late intake ack"  # acknowledge a producer's message when the chain is out
    CONFIRMS = "confirms"  # wait until the broker has what was published
    FENCE = "fence"  # refuse the commit of a worker that was believed dead
    VERDICT = "verdict"  # ask the ledger whether a delivered step is to be done at all
    OUTBOX = "outbox"  # keep an event until the broker has it
    ALONE = "alone"  # run a suspect with nothing beside it
    RECONCILER = "reconciler"  # start what the broker forgot again
    PATIENCE = "publish retries"  # wait for a full queue instead of giving up
    LEASES = "leases"  # renew the lease of a step that still runs
    LOST_ANSWERS = "lost answers"  # recognise a commit whose answer did not come back


class Window(StrEnum):
    """A moment between two things that a crash can tear apart."""

    BEFORE_COMMIT = "before_commit"  # computed, not written
    AFTER_COMMIT = "after_commit"  # written, not handed on
    BEFORE_ACK = "before_ack"  # handed on or done, not acknowledged
    INTAKE_BEFORE_START = "intake_before_start"  # the job is in the ledger, its chain is not out
    INTAKE_BEFORE_ACK = "intake_before_ack"  # the chain is out, the message not acknowledged
    RELAY_BEFORE_MARK = "relay_before_mark"  # the event is out, the outbox does not know
    RECONCILED_BEFORE_START = "reconciled_before_start"  # marked as started again, and is not


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong inside a worker process; see faulty_worker.py."""

    #: Kill the process in this window, with this chance each time it is passed.
    window: Window | None = None
    chance: float = 0.0
    #: How many such kills there may be in the whole scenario; more for many jobs, see `World`.
    budget: int = 0
    #: Photos of these sizes (width, height) end the process, or never come back from the model.
    deadly: tuple[int, int] | None = None
    hanging: tuple[int, int] | None = None
    #: Whether a hanging model notices that it is told to stop.
    deaf: bool = False
    #: AMQP heartbeat in seconds, so that a scenario need not outlast half a minute.
    heartbeat: int | None = None
    #: Wall clock: off by so many seconds, from so many seconds after the start.
    clock_offset: float = 0.0
    clock_after: float = 0.0
    #: Another pipeline version, as another release would have it.
    pipeline: str | None = None
    without: tuple[Guard, ...] = ()

    @property
    def any(self) -> bool:
        """Whether a plain worker will not do."""
        return self != Faults()


@dataclass(frozen=True, slots=True)
class Post:
    """One worker of the fleet."""

    role: str
    concurrency: int | None = None
    faults: Faults = field(default_factory=Faults)
    #: Seconds per step of the fakes; None for the real models.
    fake_seconds: float | None = FAKE_SECONDS
    #: Another release's checkout; None for this one.
    checkout: Path | None = None
    #: Restarted when it dies, as Kubernetes would.
    supervised: bool = True


@dataclass(frozen=True, slots=True)
class Load:
    """What producers send."""

    #: Jobs a second; None: all of them are there before the first worker is. Less than two cores
    #: can do, or the time to recover would be that of a backlog which is not the fault's.
    rate: float | None = 8.0
    #: Send every message twice, from two connections at once.
    twice: bool = False
    #: Carry the photo in the message instead of naming an object.
    inline: bool = False
    #: Share of a job's number at which the photo is one of the deadly, or hanging, size.
    deadly: tuple[float, ...] = ()
    hanging: tuple[float, ...] = ()
    #: At most so many jobs, whatever was asked for: real models take their time.
    most: int | None = None


Play = Callable[["World"], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that goes wrong. `play` breaks things while the jobs run; it returns healed."""

    name: str
    play: Play
    fleet: tuple[Post, ...]
    load: Load
    own: frozenset[Server]
    lines: frozenset[Server]
    #: An S3 server that answers 503 and breaks off, on command.
    storms: bool
    #: What `--unguarded` takes away; the scenario must fail then.
    guards: tuple[Guard, ...]
    settings: dict[str, str]
    #: Whether the code that the guilty jobs of `load` must fail with, by kind.
    guilty: dict[str, str]
    #: Seconds without any progress, after the last fault, until what is left counts as stuck.
    patience: float
    models: bool

    @property
    def title(self) -> str:
        """The first line of its docstring."""
        return (self.play.__doc__ or self.name).strip().splitlines()[0].rstrip(".")


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    *fleet: Post,
    load: Load | None = None,
    own: tuple[Server, ...] = (),
    lines: tuple[Server, ...] = (),
    storms: bool = False,
    guards: tuple[Guard, ...] = (),
    settings: dict[str, str] | None = None,
    guilty: dict[str, str] | None = None,
    patience: float = 40.0,
    models: bool = False,
) -> Callable[[Play], Play]:
    """Register the function below as a scenario of its name."""

    def register(play: Play) -> Play:
        name = getattr(play, "__name__", "").removeprefix("_")
        SCENARIOS[name] = Scenario(
            name,
            play,
            fleet or (Post("all"), Post("all")),
            load or Load(),
            frozenset(own),
            frozenset(lines),
            storms,
            guards,
            settings or {},
            guilty or {},
            patience,
            models,
        )
        return play

    return register
