"""Processes that are measured: started, warmed, let go together, and asked what it took."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from packshot.errors import PackshotError
from workers.bench.figures import Round

_STATM = Path("/proc/self/statm")


def resident() -> int:
    """Bytes of memory that this process holds now; 0 where the system does not say."""
    try:
        pages = int(_STATM.read_text("ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def together(
    commands: Sequence[Sequence[str]],
    *,
    environment: Mapping[str, str] | None = None,
    python: str = sys.executable,
) -> Round:
    """Run Python programs at once; the clock stops with the last of them.

    Each says `ready` when it is warm, waits for a line, and prints its figures as one JSON line.

    Raises:
        PackshotError: one of them failed.
    """
    with ExitStack() as stack:
        running = [
            stack.enter_context(
                subprocess.Popen(
                    (python, *command),
                    env={**os.environ, **(environment or {})},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for command in commands
        ]
        for process in running:
            if _line(process) != "ready":
                raise PackshotError(f"A measured process did not start: {process.args!r}.")
        for process in running:
            _let_go(process)
        answers = [_answer(process) for process in running]
    return Round(
        jobs=sum(answer["jobs"] for answer in answers),
        seconds=max(answer["seconds"] for answer in answers),
        cpu=sum(answer["cpu"] for answer in answers),
        extra={
            name: max(answer["extra"][name] for answer in answers)
            for name in answers[0].get("extra", {})
        },
    )


def _let_go(process: "subprocess.Popen[str]") -> None:
    if process.stdin:
        process.stdin.write("go\n")
        process.stdin.flush()


def _line(process: "subprocess.Popen[str]") -> str:
    return process.stdout.readline().strip() if process.stdout else ""


def _answer(process: "subprocess.Popen[str]") -> dict[str, Any]:
    line = _line(process)
    if process.wait() or not line:
        raise PackshotError(f"A measured process failed: {process.args!r}.")
    answer: dict[str, Any] = json.loads(line)
    return answer
