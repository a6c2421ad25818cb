"""How many replicas to want: the decision of KEDA and the horizontal autoscaler, at each look."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from packshot.store.gauges import SAMPLE, robust_mean

#: The autoscaler leaves a fleet alone whose ratio is within so much of one.
TOLERANCE = 0.1
#: Looks that busy slots are averaged over: two minutes.
BUSY_LOOKS = 8
#: Replicas that may be added at one look, at least; the fleet may double if that is more.
STEP_UP = 4


class Policy(Protocol):
    """What the autoscaler reads."""

    def finished(self, seconds: float) -> None:
        """A job was done and took so long."""

    def load(self, messages: int, busy: int) -> float:
        """Replicas that these messages (ready and unacked) and busy slots ask for."""


@dataclass
class SecondsOfWork:
    """Ours: messages times the measured seconds of one, over what a replica should hold.

    A fleet that keeps up has an empty queue, and by its queue alone it would be dismissed, only to
    be missed a moment later. So the slots that were busy in the last looks count as well.
    """

    #: Seconds in which a replica should get through what waits for it.
    target: float
    slots: int
    #: What a job is taken to cost before one was done.
    guess: float
    #: Share of its slots that a fleet should have busy; None looks at the waiting work alone, which
    #: is right where a fleet is meant to be busy all the time.
    utilisation: float | None = None
    _busy: deque[int] = field(default_factory=lambda: deque(maxlen=BUSY_LOOKS))
    _last: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLE))
    _cost: float | None = None

    def finished(self, seconds: float) -> None:
        """Remember what it took."""
        self._last.append(seconds)
        self._cost = None

    def load(self, messages: int, busy: int) -> float:
        """The larger of what the waiting work and what the busy slots ask for."""
        if self._cost is None:
            self._cost = robust_mean(list(self._last)) or self.guess
        waiting = messages * self._cost / (self.target * self.slots)
        if self.utilisation is None:
            return waiting
        self._busy.append(busy)
        used = sum(self._busy) / len(self._busy)
        return max(waiting, used / (self.utilisation * self.slots))


@dataclass
class QueueLength:
    """The usual one: messages over a number that somebody chose for the usual photo."""

    messages: float

    def finished(self, seconds: float) -> None:
        """Not looked at."""

    def load(self, messages: int, busy: int) -> float:
        """Messages over the number."""
        del busy
        return messages / self.messages


@dataclass
class Scaler:
    """From loads to replicas, as KEDA (to and from zero) and the autoscaler do it."""

    minimum: int
    maximum: int
    #: Seconds of quiet before the last replica goes.
    cooldown: float
    #: A fleet shrinks to the largest size that was wanted within so many seconds.
    stabilisation: float
    _wanted: deque[tuple[float, int]] = field(default_factory=deque)
    _busy_at: float = 0.0

    def decide(self, now: float, load: float, present: int) -> int:
        """Replicas to have, of `present` ones (starting ones among them)."""
        if load > 0:
            self._busy_at = now
        wanted = max(1, math.ceil(load))
        if present and abs(load / present - 1) <= TOLERANCE:
            wanted = present
        wanted = min(wanted, max(present * 2, present + STEP_UP))
        self._wanted.append((now, wanted))
        while self._wanted[0][0] < now - self.stabilisation:
            self._wanted.popleft()
        if wanted < present:
            wanted = min(present, max(one for _, one in self._wanted))
        if load == 0 and (not present or now - self._busy_at >= self.cooldown):
            wanted = 0
        return max(self.minimum, min(self.maximum, wanted))
