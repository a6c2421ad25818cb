"""What a simulation prints and writes: a table, JSON, and one picture per trace."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.table import Table

from workers.simulate.plot import Line, Panel, draw
from workers.simulate.study import Result
from workers.simulate.trace import Trace

HOUR = 3600.0
#: Seconds that one point of the plotted waits stands for.
BIN_SECONDS = 120.0

_COLUMNS = {
    "trace": "trace",
    "policy": "policy",
    "wait_p50": "p50 s",
    "wait_p95": "p95 s",
    "wait_p99": "p99 s",
    "wait_max": "max s",
    "within_objective": "in time",
    "gpu_hours": "GPU h",
    "cost": "cost",
    "largest": "largest",
}


def table(rows: Sequence[dict[str, Any]], columns: dict[str, str] | None = None) -> Table:
    """Rows for people."""
    found = Table(box=None, pad_edge=False)
    shown = columns or _COLUMNS
    for name in shown.values():
        found.add_column(name, justify="left" if name in {"trace", "policy"} else "right")
    for row in rows:
        found.add_row(*(_cell(name, row[name]) for name in shown))
    return found


def _cell(name: str, value: Any) -> str:
    if name.endswith("within_objective"):
        return f"{value:.1%}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def picture(trace: Trace, results: Sequence[Result]) -> str:
    """Arrivals, replicas and waits over time."""
    bins = np.arange(0, trace.seconds + BIN_SECONDS, BIN_SECONDS)
    come = np.histogram(trace.at, bins)[0] / BIN_SECONDS
    rate = [(float(at) / HOUR, float(one)) for at, one in zip(bins, come, strict=False)]
    sized = [one for one in results if one.outcome.sizes]
    return draw(
        f"{trace.name}: {len(trace.at)} jobs",
        [
            Panel("jobs per second", [Line("arrivals", rate)]),
            Panel(
                "replicas paid for",
                [
                    Line(one.policy, [(at / HOUR, size) for at, size in one.outcome.sizes])
                    for one in sized
                ],
            ),
            Panel(
                "jobs that wait",
                [
                    Line(one.policy, [(at / HOUR, size) for at, size in one.outcome.queued])
                    for one in sized
                ],
            ),
        ],
    )
