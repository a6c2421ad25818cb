"""Measured values: rounds in, medians and spread out."""

import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Round:
    """One run of one arrangement.

    Attributes:
        jobs: photos that were finished.
        seconds: by the clock.
        cpu: processor seconds of all processes that took part.
        extra: further figures by name; their unit is part of the name.
    """

    jobs: int
    seconds: float
    cpu: float
    extra: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Row:
    """One arrangement and its rounds; `skipped` says why there are none."""

    section: str
    name: str
    rounds: list[Round] = field(default_factory=list)
    skipped: str = ""

    @property
    def rate(self) -> float:
        """Median of the jobs per second; 0 without a round."""
        return statistics.median(one.jobs / one.seconds for one in self.rounds or [_NOTHING])

    @property
    def spread(self) -> float:
        """From the slowest round to the fastest, relative to the median; 0 with fewer than two."""
        rates = [one.jobs / one.seconds for one in self.rounds]
        return (max(rates) - min(rates)) / self.rate if len(rates) > 1 and self.rate else 0.0

    @property
    def cpu(self) -> float:
        """Median of the processor seconds per job."""
        return statistics.median(one.cpu / one.jobs for one in self.rounds or [_NOTHING])

    def extra(self) -> dict[str, float]:
        """Median of each further figure."""
        names = dict.fromkeys(name for one in self.rounds for name in one.extra)
        return {
            name: statistics.median(one.extra[name] for one in self.rounds if name in one.extra)
            for name in names
        }

    def document(self) -> dict[str, Any]:
        """Everything, for programs."""
        return {
            "section": self.section,
            "name": self.name,
            "skipped": self.skipped,
            "jobs_per_second": round(self.rate, 4),
            "spread": round(self.spread, 4),
            "cpu_seconds_per_job": round(self.cpu, 4),
            "extra": {name: round(value, 4) for name, value in self.extra().items()},
            "rounds": [asdict(one) for one in self.rounds],
        }


_NOTHING = Round(jobs=1, seconds=float("inf"), cpu=0.0)
