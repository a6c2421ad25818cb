"""Policies side by side on one trace, and the sweep that the manifests' defaults come from."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from packshot.metrics import OBJECTIVE_SHARE, OBJECTIVES
from workers.simulate.fleet import Fleet, Machine, Outcome, oracle
from workers.simulate.policy import Policy, QueueLength, Scaler, SecondsOfWork
from workers.simulate.trace import Trace

HOUR = 3600.0
#: Traces that begin faster than a replica does.
RUSH = frozenset({"flash sale"})
#: So much more may be paid for a shorter wait.
NEARLY = 0.05


@dataclass(frozen=True, slots=True)
class Tuning:
    """What the manifests set for one lane. Times in seconds."""

    target: float
    cooldown: float
    stabilisation: float
    minimum: int
    maximum: int
    utilisation: float | None

    def policy(self, machine: Machine, mean: float) -> SecondsOfWork:
        """Ours, with these numbers."""
        return SecondsOfWork(self.target, machine.slots, mean, self.utilisation)


#: What the manifests have; docs/autoscaling.md has the sweep that chose them.
DEFAULTS = {
    "live": Tuning(
        target=5, cooldown=300, stabilisation=60, minimum=1, maximum=20, utilisation=0.8
    ),
    "bulk": Tuning(
        target=1200, cooldown=60, stabilisation=300, minimum=0, maximum=20, utilisation=None
    ),
}
#: What was tried.
SWEEP: dict[str, dict[str, tuple[float | None, ...]]] = {
    "live": {
        "target": (2, 5, 10, 20),
        "cooldown": (300,),
        "stabilisation": (60, 300, 900),
        "utilisation": (None, 0.6, 0.8),
    },
    "bulk": {
        "target": (60, 150, 300, 600, 1200),
        "cooldown": (60, 300, 900),
        "stabilisation": (60, 300),
        "utilisation": (None, 0.9),
    },
}
#: Traces of each lane.
PLAYED = {
    "live": ("steady", "diurnal", "heavy-photos", "flash-sale"),
    "bulk": ("outage-backlog", "catalogue-lots"),
}


@dataclass(frozen=True, slots=True)
class Result:
    """One policy on one trace."""

    trace: str
    policy: str
    outcome: Outcome
    price: float
    objective: float

    def row(self) -> dict[str, Any]:
        """The numbers: waits in seconds, machine-hours, what they cost."""
        found = self.outcome
        hours = found.paid / HOUR
        return {
            "trace": self.trace,
            "policy": self.policy,
            "jobs": len(found.waits),
            **{f"wait_p{p}": round(found.wait(p), 2) for p in (50, 95, 99)},
            "wait_max": round(found.wait(100), 2),
            "within_objective": round(float((found.waits <= self.objective).mean()), 4),
            "gpu_hours": round(hours, 3),
            "cost": round(hours * self.price, 2),
            "largest": max((size for _, size in found.sizes), default=0),
        }


def play(trace: Trace, policy: Policy, tuning: Tuning, machine: Machine, seed: int) -> Outcome:
    """One policy on one trace."""
    scaler = Scaler(tuning.minimum, tuning.maximum, tuning.cooldown, tuning.stabilisation)
    return Fleet(trace, machine, policy, scaler, np.random.default_rng(seed)).run()


def compare(
    trace: Trace, tuning: Tuning, machine: Machine, *, mean: float, price: float, seed: int
) -> list[Result]:
    """Seconds of work, the length of the queue with a number that fits the usual job, the oracle.

    The number of messages is the best that can be known beforehand: the same target, divided by
    what a job usually costs.
    """
    ours = play(trace, tuning.policy(machine, mean), tuning, machine, seed)
    length = QueueLength(tuning.target * machine.slots / mean)
    usual = play(trace, length, tuning, machine, seed)
    most = max(tuning.maximum, *(size for one in (ours, usual) for _, size in one.sizes))
    best = oracle(trace, machine, most)
    named = (("seconds of work", ours), ("queue length", usual), ("oracle", best))
    objective = OBJECTIVES[trace.lane]
    return [Result(trace.name, name, found, price, objective) for name, found in named]


@dataclass(frozen=True, slots=True)
class Tried:
    """One setting over the traces of a lane: the worst of the ordinary ones, and all the hours."""

    tuning: Tuning
    within: float
    wait: float
    #: Share in time of the rush, which no fleet with cold starts can serve; 1 where there is none.
    rush: float
    hours: float

    def row(self) -> dict[str, Any]:
        """The numbers."""
        return {
            **asdict(self.tuning),
            "within_objective": round(self.within, 4),
            "wait_p95": round(self.wait, 1),
            "rush_within_objective": round(self.rush, 4),
            "gpu_hours": round(self.hours, 2),
        }


def sweep(
    lane: str, traces: Sequence[Trace], machine: Machine, *, mean: float, seed: int
) -> Iterator[Tried]:
    """Every setting that is to be tried, in order."""
    grid, base = SWEEP[lane], DEFAULTS[lane]
    for values in product(*grid.values()):
        changed: dict[str, Any] = dict(zip(grid, values, strict=True))
        tuning = replace(base, **changed)
        found = {
            trace.name: play(trace, tuning.policy(machine, mean), tuning, machine, seed)
            for trace in traces
        }
        calm = [one for name, one in found.items() if name not in RUSH]
        rush = [one for name, one in found.items() if name in RUSH]
        yield Tried(
            tuning,
            within=min(_in_time(one, lane) for one in calm),
            wait=max(one.wait(95) for one in calm),
            rush=min((_in_time(one, lane) for one in rush), default=1.0),
            hours=sum(one.paid for one in found.values()) / HOUR,
        )


def _in_time(found: Outcome, lane: str) -> float:
    return float((found.waits <= OBJECTIVES[lane]).mean())


def choose(tried: Sequence[Tried]) -> Tried:
    """Of the settings that meet the objective and are nearly the cheapest, the quickest.

    In a rush they must be nearly as good as the best. Where none meets the objective, the nearest.
    """
    rush = max(one.rush for one in tried) - NEARLY
    good = [one for one in tried if one.within >= OBJECTIVE_SHARE and one.rush >= rush]
    if not good:
        return max(tried, key=lambda one: (one.within, -one.hours))
    limit = min(one.hours for one in good) * (1 + NEARLY)
    return min((one for one in good if one.hours <= limit), key=lambda one: (one.wait, one.hours))
