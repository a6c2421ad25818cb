"""What is printed: a line for each scenario as it ends, and a table at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.chaos.checker import Findings


@dataclass
class Run:
    """One scenario that was played once."""

    name: str
    title: str
    seed: int
    #: Jobs that were asked for; a scenario may have its own limit.
    jobs: int
    #: The commit that was played, as `git describe` tells it.
    commit: str = ""
    #: Guards that were taken away.
    without: list[str] = field(default_factory=list)
    found: Findings | None = None
    skipped: str | None = None
    broken: str | None = None

    @property
    def verdict(self) -> str:
        """One word."""
        if self.skipped is not None:
            return "skipped"
        if self.found is None:
            return "broken"
        if self.found.violations:
            return "FAIL"
        return "pass" if self.found.tested else "not tested"

    def line(self) -> str:
        """The scenario's progress line."""
        without = f" without {', '.join(self.without)}" if self.without else ""
        head = f"{self.verdict:10} {self.name}{without} (seed {self.seed})"
        if self.found is None:
            return f"{head}: {self.skipped or self.broken}"
        found = self.found
        wrong = ", ".join(f"{name} {count}" for name, count in found.violations.items())
        return (
            f"{head}: {found.settled}/{found.submitted} in {found.seconds:.0f} s, "
            f"{found.hits}/{found.faults} faults hit, {found.restarts} restarts, "
            f"again {found.recomputed} steps, {found.reconciled} jobs, "
            f"{found.events_repeated} events, "
            f"recovered in {found.recovery_s:.1f} s{': ' if wrong else ''}{wrong}"
        )


#: Columns of the table: heading and field.
_COLUMNS = (
    ("jobs", "submitted"),
    ("unsent", "unsent"),
    ("lost", "lost"),
    ("stuck", "stuck"),
    ("final twice", "final_twice"),
    ("events missing", "events_missing"),
    ("objects missing", "artifacts_missing"),
    ("wrong end", "wrong_end"),
    ("innocent dead", "innocent_dead"),
    ("manual", "manual"),
    ("faults", "hits"),
    ("steps again", "recomputed"),
    ("reconciled", "reconciled"),
    ("orphans", "orphans"),
    ("bad exits", "bad_exits"),
)


def summary(runs: Sequence[Run]) -> str:
    """A markdown table, a row for each scenario; the seeds are added up, recovery is the worst."""
    heads = ("scenario", *(head for head, _ in _COLUMNS), "recovery s", "verdict")
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name, without in dict.fromkeys((run.name, tuple(run.without)) for run in runs):
        same = [run for run in runs if (run.name, tuple(run.without)) == (name, without)]
        lines.append("| " + " | ".join(_cells(same)) + " |")
    return "\n".join(lines) + "\n"


def failures(runs: Sequence[Run]) -> list[str]:
    """What must fail the run as a whole.

    With its guards, a scenario has to pass with every seed. Without them it has to fail with at
    least one: whether a crash hits the unguarded moment is a matter of luck.
    """
    wrong = [run.name for run in runs if not run.without and run.verdict not in {"pass", "skipped"}]
    bare = {run.name for run in runs if run.without}
    caught = {run.name for run in runs if run.without and run.verdict in {"FAIL", "skipped"}}
    return [*wrong, *(f"{name} without its guards" for name in sorted(bare - caught))]


def _cells(same: Sequence[Run]) -> list[str]:
    first = same[0]
    without = f" *without {', '.join(first.without)}*" if first.without else ""
    found = [run.found for run in same if run.found is not None]
    verdicts = ", ".join(dict.fromkeys(run.verdict for run in same))
    if not found:
        return [first.title + without, *("" for _ in _COLUMNS), "", verdicts]
    sums = [str(sum(getattr(one, field) for one in found)) for _, field in _COLUMNS]
    worst = max(one.recovery_s for one in found)
    return [first.title + without, *sums, f"{worst:.1f}", verdicts]
