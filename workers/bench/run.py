"""Runs the rounds of all arrangements in turn."""

from collections.abc import Callable, Sequence

from packshot.errors import PackshotError
from workers.bench.figures import Row
from workers.bench.plan import Arrangement


def interleaved(
    arrangements: Sequence[Arrangement], rounds: int, tell: Callable[[str], None]
) -> list[Row]:
    """Run every arrangement `rounds` times, one round of each after the other.

    One that fails is skipped from then on, and its row says why; the others go on.
    """
    for number in range(rounds):
        for one in arrangements:
            if one.row.skipped:
                continue
            tell(f"Round {number + 1} of {rounds}: {one.row.name}")
            try:
                one.row.rounds.append(one.run())
            except PackshotError as error:
                one.row.skipped = str(error)
    return [one.row for one in arrangements]
