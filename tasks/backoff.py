"""Waiting before trying again: exponential, with full jitter."""

import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from packshot.errors import Transient

Answer = TypeVar("Answer")
#: Waits for some seconds; tests bring one that does not.
Sleep = Callable[[float], None]

#: First pause, seconds; it doubles with each try.
BASE_SECONDS = 0.25
#: Longest pause inside a step, seconds.
CAP_SECONDS = 4.0
#: Tries inside one attempt: at most some 8 seconds, then the message goes back to its queue.
TRIES = 5


def pauses(*, base: float, cap: float) -> Iterator[float]:
    """Yield pauses in seconds, each drawn from [0, min(cap, base * 2^n)).

    Full jitter spreads a fleet that failed together; the formula is from "Exponential Backoff and
    Jitter" (AWS Architecture Blog, 2015).
    """
    ceiling = base
    while True:
        yield random.uniform(0, ceiling)  # noqa: S311 - spreads load, guards nothing
        ceiling = min(cap, ceiling * 2)


def insist(
    action: Callable[[], Answer], *, tries: int = TRIES, sleep: Sleep = time.sleep
) -> Answer:
    """Run `action`, again after a pause while it raises `Transient`, at most `tries` times."""
    waiting = pauses(base=BASE_SECONDS, cap=CAP_SECONDS)
    for _ in range(tries - 1):
        try:
            return action()
        except Transient:
            sleep(next(waiting))
    return action()
