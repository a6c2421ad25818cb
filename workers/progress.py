"""Progress bars of an embedded run: one per stage, and one for the whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from packshot.contract import Step
from workers.embedded import Progress as Tell


@contextmanager
def bars(console: Console, photos: int) -> Iterator[Tell]:
    """Show bars for `photos` photos; yields the function that an embedded run reports to."""
    columns = (
        TextColumn("{task.description:12}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        stages = {step: progress.add_task(step, total=photos) for step in Step}
        whole = progress.add_task("[bold]photos", total=photos)
        settled: set[UUID] = set()

        def tell(row: UUID, step: Step | None) -> None:
            if step is not None:
                progress.advance(stages[step])
            elif row not in settled:
                settled.add(row)
                progress.advance(whole)

        yield tell
