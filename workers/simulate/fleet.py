"""A fleet of replicas with cold starts, event by event: who waited how long, and what it cost."""

import heapq
import itertools
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from workers.simulate.policy import Policy, Scaler
from workers.simulate.trace import Floats, Trace


@dataclass(frozen=True, slots=True)
class Machine:
    """What a replica is. Times in seconds."""

    slots: int = 2
    #: From wanted to consuming: a node, an image, models that are warmed.
    cold_start: float = 90.0
    #: How far single starts differ from it, as a share.
    cold_spread: float = 0.3
    #: Between two looks of the autoscaler.
    look: float = 15.0


@dataclass(slots=True, eq=False)
class _Replica:
    since: float
    ready: bool = False
    leaving: bool = False
    busy: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a trace: waits in order of arrival, replica-seconds paid, sizes over time."""

    waits: Floats
    ends: Floats
    paid: float
    sizes: tuple[tuple[float, int], ...]
    queued: tuple[tuple[float, int], ...]

    def wait(self, percentile: float) -> float:
        """Seconds that so many percent of the jobs waited at most."""
        return float(np.percentile(self.waits, percentile)) if len(self.waits) else 0.0


@dataclass
class Fleet:
    """One run. Jobs start in order of arrival; a replica that leaves finishes what it has."""

    trace: Trace
    machine: Machine
    policy: Policy
    scaler: Scaler
    rng: np.random.Generator
    now: float = 0.0
    _events: list[tuple[float, int, str, object]] = field(default_factory=list)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)
    _queue: deque[int] = field(default_factory=deque)
    _replicas: list[_Replica] = field(default_factory=list)
    _running: int = 0
    _arrived: int = 0
    _paid: float = 0.0
    _sizes: list[tuple[float, int]] = field(default_factory=list)
    _queued: list[tuple[float, int]] = field(default_factory=list)

    def run(self) -> Outcome:
        """Play the trace until its end and the last job's."""
        at = self.trace.at
        self._waits, self._ends = np.full(len(at), np.nan), np.full(len(at), np.nan)
        self._done = 0
        for _ in range(self.scaler.minimum):
            self._replicas.append(_Replica(0.0, ready=True))
        self._push(0.0, "look", None)
        while self._done < len(at) or self.now < self.trace.seconds:
            due = self._events[0][0] if self._events else np.inf
            if self._arrived < len(at) and at[self._arrived] <= due:
                self.now = float(at[self._arrived])
                self._queue.append(self._arrived)
                self._arrived += 1
            else:
                self.now, _, kind, what = heapq.heappop(self._events)
                self._happen(kind, what)
            self._start_jobs()
        self._paid += sum(self.now - one.since for one in self._replicas)
        return Outcome(self._waits, self._ends, self._paid, tuple(self._sizes), tuple(self._queued))

    def _push(self, at: float, kind: str, what: object) -> None:
        heapq.heappush(self._events, (at, next(self._order), kind, what))

    def _happen(self, kind: str, what: object) -> None:
        if kind == "look":
            self._look()
        elif kind == "ready" and isinstance(what, _Replica):
            what.ready = True
        elif kind == "done" and isinstance(what, tuple):
            self._finish(*what)

    def _start_jobs(self) -> None:
        while self._queue:
            free = next((one for one in self._replicas if self._is_free(one)), None)
            if free is None:
                return
            job = self._queue.popleft()
            free.busy += 1
            self._running += 1
            self._waits[job] = self.now - self.trace.at[job]
            self._push(self.now + float(self.trace.work[job]), "done", (free, job))

    def _is_free(self, one: _Replica) -> bool:
        return one.ready and not one.leaving and one.busy < self.machine.slots

    def _finish(self, replica: _Replica, job: int) -> None:
        replica.busy -= 1
        self._running -= 1
        self._done += 1
        self._ends[job] = self.now
        self.policy.finished(float(self.trace.work[job]))
        if replica.leaving and not replica.busy:
            self._end(replica)

    def _look(self) -> None:
        messages = len(self._queue) + self._running
        present = [one for one in self._replicas if not one.leaving]
        wanted = self.scaler.decide(
            self.now, self.policy.load(messages, self._running), len(present)
        )
        for _ in range(wanted - len(present)):
            self._begin()
        # Those that are not ready yet go first, then the idlest.
        idlest = sorted(present, key=lambda one: (one.ready, one.busy))
        for one in idlest[: max(0, len(present) - wanted)]:
            one.leaving = True
            if not one.busy:
                self._end(one)
        self._sizes.append((self.now, len(self._replicas)))
        self._queued.append((self.now, len(self._queue)))
        self._push(self.now + self.machine.look, "look", None)

    def _begin(self) -> None:
        replica = _Replica(self.now)
        self._replicas.append(replica)
        spread = self.machine.cold_spread
        late = self.machine.cold_start * float(self.rng.uniform(1 - spread, 1 + spread))
        self._push(self.now + late, "ready", replica)

    def _end(self, replica: _Replica) -> None:
        self._replicas.remove(replica)
        self._paid += self.now - replica.since


def oracle(trace: Trace, machine: Machine, maximum: int) -> Outcome:
    """What no autoscaler can beat: every replica is there when it is needed, and paid while busy.

    It knows the future, starts replicas in no time, and never has more of them than `maximum`.
    """
    free = [0.0] * (maximum * machine.slots)
    waits, ends = np.empty(len(trace.at)), np.empty(len(trace.at))
    for job, (at, work) in enumerate(zip(trace.at, trace.work, strict=True)):
        start = max(float(at), heapq.heappop(free))
        waits[job], ends[job] = start - at, start + work
        heapq.heappush(free, start + float(work))
    return Outcome(waits, ends, float(trace.work.sum()) / machine.slots, (), ())
