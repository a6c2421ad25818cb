"""From counted messages to seconds of work: pure functions, no server.

One message of matting takes fifty times as long as one of prepare, so the length of a queue says
little about the fleet that it needs. Work is counted in slot-seconds: a worker that runs `c` steps
at once does `c` of them in a second.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from packshot.contract import Lane, Step
from workers.roles import ROLES

#: The producers' queue: nobody has read yet which lane a message wants.
INTAKE: Final = "intake"
ANY: Final = "any"
#: Seconds to take one message in: insert the job, publish its chain.
INTAKE_SECONDS = 0.01
#: What a step is taken to cost before one was done.
UNKNOWN_SECONDS = 0.5

StepName = Step | Literal["intake"]
LaneName = Lane | Literal["any"]
Key = tuple[StepName, LaneName]


@dataclass(frozen=True, slots=True)
class Depth:
    """Messages in one queue: ready ones wait, unacked ones are with a worker."""

    ready: int
    unacked: int

    @property
    def messages(self) -> int:
        """All of them."""
        return self.ready + self.unacked


_EMPTY = Depth(0, 0)


@dataclass(frozen=True, slots=True)
class Server:
    """One worker process: the queues that it consumes, and the steps that it runs at once."""

    queues: frozenset[Key]
    slots: int


def cost(step: StepName, costs: Mapping[Step, float | None]) -> float:
    """Seconds that one message of a step takes."""
    if step == INTAKE:
        return INTAKE_SECONDS
    found = costs.get(Step(step))
    return UNKNOWN_SECONDS if found is None else found


def queue_work(depths: Mapping[Key, Depth], costs: Mapping[Step, float | None]) -> dict[Key, float]:
    """Slot-seconds that lie in each queue."""
    return {key: depth.messages * cost(key[0], costs) for key, depth in depths.items()}


def run_of(steps: Collection[Step], step: StepName, costs: Mapping[Step, float | None]) -> float:
    """Seconds that whoever serves `steps` spends on a job that it takes up at `step`.

    A worker goes on with the next step as long as it serves it; a job that waits for OCR will need
    the same GPU for recognition and matting a moment later.
    """
    chain = tuple(Step)
    first = 0 if step == INTAKE else chain.index(Step(step))
    seconds = INTAKE_SECONDS if step == INTAKE else 0.0
    for one in chain[first:]:
        if one not in steps:
            break
        seconds += cost(one, costs)
    return seconds


def role_work(
    depths: Mapping[Key, Depth], costs: Mapping[Step, float | None]
) -> dict[tuple[str, LaneName], float]:
    """Slot-seconds that wait for each role, by lane."""
    found: dict[tuple[str, LaneName], float] = {}
    for role in ROLES.values():
        lanes = (*Lane, *((ANY,) if role.intake else ()))
        found.update({(role.name, lane): 0.0 for lane in lanes})
        for (step, lane), depth in depths.items():
            if step == INTAKE and not role.intake:
                continue
            if step != INTAKE and step not in role.steps:
                continue
            found[role.name, lane] += depth.messages * run_of(role.steps, step, costs)
    return found


def slots(servers: Sequence[Server], keys: Sequence[Key]) -> dict[Key, int]:
    """Steps of each queue that could run at once if nothing else did."""
    return {key: sum(one.slots for one in servers if key in one.queues) for key in keys}


def drain(
    depths: Mapping[Key, Depth], costs: Mapping[Step, float | None], servers: Sequence[Server]
) -> dict[Key, float]:
    """Seconds until each queue is empty if nothing comes in: infinite where nobody serves it.

    A worker of several queues takes from each of them by the work that lies there, so that all of
    them end when that work is done; who serves a queue beside it adds to the pace.
    """
    pace = dict.fromkeys(depths, 0.0)
    for server in servers:
        served = [key for key in server.queues if depths.get(key, _EMPTY).messages]
        if total := sum(depths[key].messages * _run(server, key, costs) for key in served):
            for key in served:
                pace[key] += server.slots / total
    return {
        key: 0.0 if not depth.messages else (1.0 / pace[key] if pace[key] else math.inf)
        for key, depth in depths.items()
    }


def _run(server: Server, key: Key, costs: Mapping[Step, float | None]) -> float:
    """Seconds that a message of a queue keeps one of a worker's slots."""
    step, lane = key
    if step == INTAKE:
        return INTAKE_SECONDS
    steps = [Step(one) for one, its in server.queues if its == lane and one != INTAKE]
    return run_of(steps, step, costs)
