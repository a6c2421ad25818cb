"""`python -m tests.chaos.publish OUT.json...`: the tables of docs/chaos.md and of the README.

Counts of several seeds are added up; the time to recover is the median and the worst of them.
"""

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.checker import Findings
from tests.chaos.record import Record
from tests.chaos.run import FAMILIES
from tests.chaos.scenario import SCENARIOS
from tests.chaos.table import Run

#: What is printed of each row: heading, and the counts that are added up in it.
_COLUMNS = {
    "jobs": ("submitted",),
    "faults": ("hits",),
    "restarts": ("restarts",),
    "lost": ("unsent", "lost", "stuck"),
    "twice": ("final_twice",),
    "events missing": ("events_missing",),
    "pictures missing": ("artifacts_missing", "incomplete"),
    "wrong end": ("wrong_end", "innocent_dead", "unkept"),
    "by hand": ("manual",),
    "steps again": ("recomputed",),
}


def main(files: Sequence[str]) -> int:
    """Print the tables of what these files hold."""
    runs = [run for name in files for run in Record(Path(name)).runs]
    guarded = [run for run in runs if not run.without]
    parts = [family_table(guarded), scenario_table(guarded)]
    if bare := [run for run in runs if run.without]:
        parts.append(bare_table(bare))
    seeds = ", ".join(str(seed) for seed in sorted({run.seed for run in guarded}))
    commits = ", ".join(sorted({run.commit for run in runs}))
    sys.stdout.write("\n".join(parts) + f"\n{len(guarded)} runs, seeds {seeds}, {commits}\n")
    return int(any(run.verdict != "pass" for run in guarded))


def family_table(runs: Sequence[Run]) -> str:
    """A row for each thing that breaks."""
    rows = []
    for family in FAMILIES:
        there = [run for run in runs if SCENARIOS[run.name].play.__module__ == family.__name__]
        if there:
            title = (family.__doc__ or "").removeprefix("Scenarios: ").rstrip(".\n")
            rows.append([title[:1].upper() + title[1:], _scenarios(there), *_cells(there)])
    return _table(["what breaks", "scenarios", *_heads()], rows)


def scenario_table(runs: Sequence[Run]) -> str:
    """A row for each scenario."""
    return _table(["scenario", *_heads()], [[same[0].title, *_cells(same)] for same in _same(runs)])


def bare_table(runs: Sequence[Run]) -> str:
    """What the same scenarios lose or double when their guards are taken away."""
    rows = [[same[0].title, ", ".join(same[0].without), *_cells(same)[:-1]] for same in _same(runs)]
    return _table(["scenario", "without", *_heads()[:-1]], rows)


def _same(runs: Sequence[Run]) -> list[list[Run]]:
    names = dict.fromkeys(run.name for run in runs)
    return [[run for run in runs if run.name == name] for name in SCENARIOS if name in names]


def _scenarios(runs: Sequence[Run]) -> str:
    return str(len({run.name for run in runs}))


def _heads() -> list[str]:
    return [*_COLUMNS, "recovered after s"]


def _cells(runs: Sequence[Run]) -> list[str]:
    found = [run.found for run in runs if run.found is not None]
    counts = [f"{_sum(found, fields):,}" for fields in _COLUMNS.values()]
    times = [one.recovery_s for one in found]
    return [*counts, f"{statistics.median(times):.1f}, at most {max(times):.1f}" if times else ""]


def _sum(found: Sequence[Findings], fields: tuple[str, ...]) -> int:
    return sum(getattr(one, field) for one in found for field in fields)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---", *("---:" for _ in heads[1:])], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
