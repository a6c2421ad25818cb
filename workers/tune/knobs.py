"""What can be turned: how many steps run at once, with how many threads, in what batches."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

#: Batch sizes and waits (seconds) that are tried where a device gains from batches.
SIZES = (4, 8, 16, 32)
WAITS = (0.002, 0.005, 0.02)


class Knobs(BaseModel):
    """One way to run the models.

    Attributes:
        concurrency: steps at once in a process.
        threads: threads of the runtime in one run of a model.
        batch: most items that run together.
        wait: longest time that an item waits for company, in seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrency: int = Field(ge=1, le=256)
    threads: int = Field(ge=1, le=256)
    batch: int = Field(ge=1, le=256)
    wait: float = Field(ge=0, le=10)

    def __str__(self) -> str:
        one = f"{self.concurrency} at once, {self.threads} threads"
        if self.batch == 1:
            return one
        return f"{one}, batches of {self.batch} after {self.wait * 1000:g} ms"


@dataclass(frozen=True, slots=True)
class Score:
    """How fast a way was: photos a second over `photos` of them."""

    knobs: Knobs
    rate: float
    photos: int


def grid(cores: int, *, batches: bool) -> list[Knobs]:
    """Every way worth a try on this many cores.

    Fewer threads than half the cores leave some idle, and more than twice as many only wait for
    each other. Where batches gain, many steps at once fill them, whatever the cores.
    """
    if batches:
        return [
            Knobs(concurrency=min(256, 2 * size), threads=1, batch=size, wait=wait)
            for size in SIZES
            for wait in WAITS
        ]
    powers = [2**power for power in range(9)]
    return [
        Knobs(concurrency=concurrency, threads=threads, batch=1, wait=0)
        for concurrency in sorted({*powers, 3, cores, cores + 1})
        for threads in powers
        if cores / 2 <= concurrency * threads <= 2 * cores and threads <= cores
    ]
