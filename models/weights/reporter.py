"""Progress of a pull for a person at a terminal, or for a log file."""

from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.text import Text


class _Bytes(DownloadColumn):
    """Bytes of a download; nothing for steps that do not count bytes."""

    def render(self, task: Task) -> Text:
        """Draw one cell."""
        return super().render(task) if task.fields["counts"] else Text()


class Reporter:
    """Progress bars where a person looks on, a line for each step where nobody does.

    Implements `models.weights.progress.Progress`.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, str] = {}
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]●"),
            TextColumn("{task.fields[model]}"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            _Bytes(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        """Start to draw."""
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing; what was drawn stays."""
        self._bars.stop()

    def stage(self, name: str, doing: str, total: int | None = None) -> None:
        """Show what is being done for one model."""
        # `reset` forgets the fields that are not named again.
        self._bars.reset(
            self._task(name), total=total, description=doing, model=name, counts=bool(total)
        )
        if not self._console.is_terminal and self._said.get(name) != doing:
            self._said[name] = doing
            self._console.print(f"{name}: {doing}", highlight=False)

    def advance(self, name: str, amount: int) -> None:
        """Move the bar on."""
        self._bars.advance(self._task(name), amount)

    def done(self, name: str, outcome: str) -> None:
        """Fill the bar."""
        self.stage(name, outcome)
        self._bars.update(self._task(name), total=1, completed=1)

    def _task(self, name: str) -> TaskID:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task("", total=None, model=name, counts=False)
        return self._tasks[name]
