"""What each step cost, as the parts of one bar."""

from collections.abc import Sequence
from dataclasses import dataclass

from packshot.store.views import StepView
from workers.report.words import STEPS


@dataclass(frozen=True, slots=True)
class Timing:
    """One step. `start` and `share` are per cent of the bar's width."""

    step: str
    name: str
    seconds: float
    start: float
    share: float
    attempt: int
    reused: bool


def timings(steps: Sequence[StepView]) -> tuple[Timing, ...]:
    """The steps that took time, in order; their shares add up to 100."""
    timed = [(step, step.seconds) for step in steps if step.seconds is not None]
    whole = sum(seconds for _, seconds in timed)
    parts: list[Timing] = []
    start = 0.0
    for step, seconds in timed:
        share = 100 * seconds / whole if whole else 0.0
        name = STEPS.get(step.name, step.name)
        parts.append(
            Timing(
                step=step.name,
                name=name,
                seconds=seconds,
                start=round(start, 2),
                share=round(share, 2),
                attempt=step.attempt,
                reused=step.reused,
            )
        )
        start += share
    return tuple(parts)
