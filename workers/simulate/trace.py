"""Arrivals to replay: when each job comes, and how many slot-seconds it takes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HOUR = 3600.0
#: Spread of a job's cost around its mean: photos differ in size and in how much text they carry.
SPREAD = 0.5


@dataclass(frozen=True, slots=True)
class Trace:
    """Jobs in order of arrival: `at` in seconds from the start, `work` in slot-seconds."""

    name: str
    lane: Literal["live", "bulk"]
    at: Floats
    work: Floats
    seconds: float


def _arrivals(rng: np.random.Generator, rate: Callable[[Floats], Floats], end: float) -> Floats:
    """Arrivals of a Poisson process whose `rate` (per second) varies: thinned from its maximum."""
    grid = np.linspace(0, end, 2000)
    top = float(rate(grid).max()) * 1.05
    count = int(rng.poisson(top * end))
    times = np.sort(rng.uniform(0, end, count))
    kept: Floats = times[rng.uniform(0, top, count) < rate(times)]
    return kept


def _work(rng: np.random.Generator, count: int, mean: float) -> Floats:
    """Costs that are log-normal, as those of photos are: most small, a few large."""
    return rng.lognormal(np.log(mean) - SPREAD**2 / 2, SPREAD, count)


def steady(rng: np.random.Generator, mean: float) -> Trace:
    """Three jobs a second for four hours."""
    end = 4 * HOUR
    at = _arrivals(rng, lambda t: np.full_like(t, 3.0), end)
    return Trace("steady", "live", at, _work(rng, len(at), mean), end)


def diurnal(rng: np.random.Generator, mean: float) -> Trace:
    """A day: nearly nothing at night, five jobs a second in the afternoon."""
    end = 24 * HOUR
    at = _arrivals(rng, lambda t: 2.6 - 2.4 * np.cos(2 * np.pi * t / end), end)
    return Trace("diurnal", "live", at, _work(rng, len(at), mean), end)


def flash_sale(rng: np.random.Generator, mean: float) -> Trace:
    """One job a second; after an hour twenty, with photos twice as costly, for twenty minutes."""
    end, begin, stop = 3 * HOUR, HOUR, HOUR + 1200
    at = _arrivals(rng, lambda t: np.where((t >= begin) & (t < stop), 20.0, 1.0), end)
    work = _work(rng, len(at), mean)
    work[(at >= begin) & (at < stop)] *= 2
    return Trace("flash sale", "live", at, work, end)


def heavy_photos(rng: np.random.Generator, mean: float) -> Trace:
    """Two jobs a second for five hours; from the third hour on, photos four times as costly."""
    end = 5 * HOUR
    at = _arrivals(rng, lambda t: np.full_like(t, 2.0), end)
    work = _work(rng, len(at), mean)
    work[at >= 2 * HOUR] *= 4
    return Trace("heavy photos", "live", at, work, end)


def outage_backlog(rng: np.random.Generator, mean: float) -> Trace:
    """Everything was down: 40 000 jobs wait, most of them sent twice and known the second time."""
    end = 4 * HOUR
    late = _arrivals(rng, lambda t: np.full_like(t, 0.5), end)
    at = np.concatenate([np.zeros(40_000), late])
    work = _work(rng, len(at), mean)
    work[:40_000] *= np.where(rng.uniform(size=40_000) < 0.7, 0.05, 1.0)
    return Trace("outage backlog", "bulk", at, work, end)


def catalogue_nights(rng: np.random.Generator, mean: float) -> Trace:
    """Bulk that comes in lots: 3000 jobs every two hours, and nothing between them."""
    end = 12 * HOUR
    lots = [start + np.sort(rng.uniform(0, 300, 3000)) for start in np.arange(0, end, 2 * HOUR)]
    at = np.concatenate(lots)
    return Trace("catalogue lots", "bulk", at, _work(rng, len(at), mean), end)


TRACES: dict[str, Callable[[np.random.Generator, float], Trace]] = {
    "steady": steady,
    "diurnal": diurnal,
    "flash-sale": flash_sale,
    "heavy-photos": heavy_photos,
    "outage-backlog": outage_backlog,
    "catalogue-lots": catalogue_nights,
}


def replay(name: str, *, seed: int, mean: float) -> Trace:
    """One trace; the same seed gives the same jobs."""
    number = list(TRACES).index(name)
    return TRACES[name](np.random.default_rng([seed, number]), mean)
