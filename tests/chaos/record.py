"""The runs so far, in a file: what was interrupted goes on where it was."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.chaos.checker import Findings
from tests.chaos.scenario import Guard
from tests.chaos.table import Run


class Record:
    """Runs that are kept in a JSON file, or only here when there is no file.

    The file is written anew after each run and always whole, so that a matrix of hours can be
    stopped at any time.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        there = json.loads(path.read_text()) if path is not None and path.exists() else []
        self.runs: list[Run] = [_run(one) for one in there]

    def has(self, name: str, seed: int, jobs: int, without: tuple[Guard, ...]) -> bool:
        """Whether this was played to its end already; what broke is played again."""
        wanted = (name, seed, jobs, [str(guard) for guard in without])
        played = ((one.name, one.seed, one.jobs, one.without) for one in self.runs if one.found)
        return wanted in played

    def add(self, run: Run) -> None:
        """Keep a run, in place of an earlier one of the same kind."""
        kind = _kind(run)
        self.runs = [*(one for one in self.runs if _kind(one) != kind), run]
        if self._path is None:
            return
        fresh = self._path.with_suffix(".part")
        fresh.write_text(json.dumps([asdict(one) for one in self.runs], indent=1) + "\n")
        fresh.replace(self._path)


def _kind(run: Run) -> tuple[object, ...]:
    return run.name, run.seed, run.jobs, *run.without


def _run(kept: dict[str, Any]) -> Run:
    found = kept.pop("found")
    return Run(**kept, found=Findings(**found) if found else None)
