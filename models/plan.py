"""Which items run together next, and when: the batcher's mind, without threads and without a clock.

Items of one bucket fit into one batch. A bucket is due when it is full, when its oldest item has
waited long enough, or when waiting longer would miss somebody's deadline. Of the buckets that are
due, the one with the most urgent item goes first, and in it the most urgent items.

An item's rank is the time of its arrival, moved forward by a fixed head start if it is live. So a
live item overtakes bulk work, but only that which is younger than the head start: every item that
waits will, in the end, be older than all newcomers. Nothing starves.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Value = TypeVar("Value")

#: Seconds that a live item counts as older than it is. It bounds how long a stream of live items
#: can hold bulk work back: nothing starves.
HEAD_START = 10.0
#: Weight of the last batch in the running mean of a bucket's batch time.
_RECENT = 0.3


@dataclass(frozen=True, slots=True)
class Limits:
    """How a plan forms batches.

    Attributes:
        size: most items in a batch.
        max_wait: longest time that an item waits for company, in seconds.
        head_start: how much older a live item counts, in seconds. It bounds how long a steady
            stream of live items can hold bulk work back.
    """

    size: int
    max_wait: float = 0.005
    head_start: float = HEAD_START

    def __post_init__(self) -> None:
        if self.size < 1 or self.max_wait < 0 or self.head_start < 0:
            raise ValueError(f"These limits make no batches: {self}.")


@dataclass(slots=True, eq=False)
class Item(Generic[Value]):
    """One value on its way; times are those of whatever clock the caller uses, in seconds."""

    value: Value
    bucket: Hashable
    arrived: float
    live: bool = False
    deadline: float | None = None


@dataclass(slots=True)
class _Bucket(Generic[Value]):
    """Waiting items of one shape, and what is known about batches of that shape."""

    limit: int
    items: list[Item[Value]] = field(default_factory=list)
    #: Seconds that a batch takes, a running mean.
    seconds: float = 0.0


class Plan(Generic[Value]):
    """The items that wait. Not thread-safe: the batcher holds its lock around it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buckets: dict[Hashable, _Bucket[Value]] = {}

    def __len__(self) -> int:
        return sum(len(bucket.items) for bucket in self._buckets.values())

    def add(self, item: Item[Value]) -> None:
        """Take one in."""
        self._of(item.bucket).items.append(item)

    def remove(self, item: Item[Value]) -> bool:
        """Take one out that nobody wants any more; False where it has left already."""
        items = self._of(item.bucket).items
        if item not in items:
            return False
        items.remove(item)
        return True

    def due(self) -> float:
        """When the next batch is to start; infinity where nothing waits."""
        return min((self._start(bucket) for bucket in self._buckets.values()), default=math.inf)

    def take(self, now: float) -> list[Item[Value]]:
        """The next batch, most urgent item first; empty where none is due yet."""
        ready = [b for b in self._buckets.values() if b.items and self._start(b) <= now]
        if not ready:
            return []
        bucket = min(ready, key=lambda one: min(map(self._rank, one.items)))
        # A stable sort: of equal rank, the first come.
        bucket.items.sort(key=self._rank)
        batch, bucket.items = bucket.items[: bucket.limit], bucket.items[bucket.limit :]
        return batch

    def ran(self, bucket: Hashable, seconds: float) -> None:
        """Learn how long a batch took."""
        known = self._of(bucket)
        known.seconds += (seconds - known.seconds) * (_RECENT if known.seconds else 1.0)

    def shrink(self, bucket: Hashable, size: int) -> None:
        """A batch of `size` did not fit into the device: make no more of that size."""
        known = self._of(bucket)
        known.limit = min(known.limit, max(1, size // 2))

    def _of(self, bucket: Hashable) -> _Bucket[Value]:
        return self._buckets.setdefault(bucket, _Bucket(self._limits.size))

    def _start(self, bucket: _Bucket[Value]) -> float:
        if not bucket.items:
            return math.inf
        if len(bucket.items) >= bucket.limit:
            return -math.inf
        return min(
            min(item.arrived + self._limits.max_wait, _latest(item, bucket.seconds))
            for item in bucket.items
        )

    def _rank(self, item: Item[Value]) -> float:
        return item.arrived - (self._limits.head_start if item.live else 0.0)


def _latest(item: Item[Value], seconds: float) -> float:
    """When a batch that takes `seconds` must start for the item's deadline."""
    return math.inf if item.deadline is None else item.deadline - seconds
