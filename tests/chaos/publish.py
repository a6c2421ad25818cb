"""`python -m tests.chaos.publish [--check]`: the kept runs into docs/chaos.md and the README.

The runs are those of docs/chaos/*.json, which `--json` has written. Counts of several seeds are
added up; the time to recover is the median and the worst of them.
"""

import re
import statistics
import sys
from collections import Counter
from collections.abc import Mapping, Sequence

from tests.chaos.checker import Findings
from tests.chaos.crew import ROOT
from tests.chaos.record import Record
from tests.chaos.run import FAMILIES
from tests.chaos.scenario import SCENARIOS
from tests.chaos.table import Run

KEPT = ROOT / "docs" / "chaos"
PAGES = (ROOT / "docs" / "chaos.md", ROOT / "README.md")
#: What is printed of each row: heading, and the counts that are added up in it.
_COLUMNS = {
    "jobs": ("submitted",),
    "faults": ("hits",),
    "lost": ("unsent", "lost", "stuck"),
    "twice": ("final_twice",),
    "events missing": ("events_missing",),
    "pictures missing": ("artifacts_missing", "incomplete"),
    "wrong end": ("wrong_end", "innocent_dead", "unkept"),
    "by hand": ("manual",),
    "steps again": ("recomputed",),
}


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with --check say whether one is stale."""
    stale = [page for page in PAGES if page.read_text("utf-8") != written(page.read_text("utf-8"))]
    if "--check" in arguments:
        return int(bool(stale))
    for page in stale:
        page.write_text(written(page.read_text("utf-8")), "utf-8")
    return 0


def kept() -> list[Run]:
    """Every run that is kept."""
    return [run for path in sorted(KEPT.glob("*.json")) for run in Record(path).runs]


def written(page: str) -> str:
    """A page with its marked places filled: `<!-- chaos:NAME -->` up to `<!-- chaos:end -->`."""
    filled = parts(kept())

    def fill(place: re.Match[str]) -> str:
        return f"{place[1]}\n{filled[place[2]]}{place[3]}"

    return re.sub(r"(<!-- chaos:(\w+) -->)\n.*?(<!-- chaos:end -->)", fill, page, flags=re.DOTALL)


def parts(runs: Sequence[Run]) -> Mapping[str, str]:
    """What can stand at a marked place."""
    guarded = [run for run in runs if not run.without]
    return {
        "families": _families(guarded),
        "scenarios": _table(
            ["scenario", *_heads()], [[same[0].title, *_cells(same)] for same in _same(guarded)]
        ),
        "unguarded": _unguarded([run for run in runs if run.without]),
        "what": _what(guarded),
    }


def _what(runs: Sequence[Run]) -> str:
    """How many runs of which seeds and sizes there were."""
    # A scenario with the real models has fewer jobs than it was asked for.
    sizes = Counter(run.found.submitted if run.found else run.jobs for run in runs)
    told = ", ".join(f"{count} of {size} jobs" for size, count in sizes.most_common())
    seeds = ", ".join(str(seed) for seed in sorted({run.seed for run in runs}))
    jobs = sum(run.found.submitted for run in runs if run.found)
    failed = sum(run.verdict != "pass" for run in runs)
    return (
        f"{len({run.name for run in runs})} scenarios, seeds {seeds}: {told}; {jobs:,} jobs in "
        f"all, {failed} runs failed.\n"
    )


def _families(runs: Sequence[Run]) -> str:
    """A row for each thing that breaks."""
    rows = []
    for family in FAMILIES:
        there = [run for run in runs if SCENARIOS[run.name].play.__module__ == family.__name__]
        if there:
            title = (family.__doc__ or "").splitlines()[0].removeprefix("Scenarios: ").rstrip(".")
            count = str(len({run.name for run in there}))
            rows.append([title[:1].upper() + title[1:], count, *_cells(there)])
    return _table(["what breaks", "scenarios", *_heads()], rows)


def _unguarded(runs: Sequence[Run]) -> str:
    """What the same scenarios lose or double when their guards are taken away."""
    rows = [[same[0].title, ", ".join(same[0].without), *_cells(same)[:-1]] for same in _same(runs)]
    return _table(["scenario", "without", *_heads()[:-1]], rows)


def _same(runs: Sequence[Run]) -> list[list[Run]]:
    names = {run.name for run in runs}
    return [[run for run in runs if run.name == name] for name in SCENARIOS if name in names]


def _heads() -> list[str]:
    return [*_COLUMNS, "recovered after s"]


def _cells(runs: Sequence[Run]) -> list[str]:
    found = [run.found for run in runs if run.found is not None]
    counts = [f"{_sum(found, fields):,}" for fields in _COLUMNS.values()]
    return [*counts, _times([one.recovery_s for one in found])]


def _times(seconds: Sequence[float]) -> str:
    if not seconds:
        return ""
    median = f"{statistics.median(seconds):.1f}"
    return median if len(seconds) == 1 else f"{median}, at most {max(seconds):.1f}"


def _sum(found: Sequence[Findings], fields: tuple[str, ...]) -> int:
    return sum(getattr(one, field) for one in found for field in fields)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---", *("---:" for _ in heads[1:])], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
