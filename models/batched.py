"""A session that gathers the runs of many threads into batches.

The nets of `models` see nothing of it: each still runs one photo or one line of text. What they run
is independent of its company, since only rows of equal shape are put together and none is padded
here; so the answers are those of a plain session.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from models.batcher import Batcher, BatchRun
from models.plan import Limits
from models.session import Array, Session, TensorSpec
from packshot.errors import ConfigurationError, ModelFailure
from packshot.results import ModelInfo

#: Columns that are looked at when padding is measured: every so many, it is only a metric.
_EVERY = 8

Feed = Mapping[str, Array]
Wanted = Sequence[str] | None


@runtime_checkable
class Gathers(Protocol):
    """A session that is faster when it is handed several runs at once."""

    def run_each(self, feeds: Sequence[Feed], wanted: Wanted = None) -> list[list[Array]]:
        """Run all feeds, which need not have the same shape; answers in their order."""


def run_each(session: Session, feeds: Sequence[Feed], wanted: Wanted = None) -> list[list[Array]]:
    """Independent runs of one session; together where the session gathers, else one by one."""
    if isinstance(session, Gathers):
        return session.run_each(feeds, wanted)
    return [session.run(feed, wanted) for feed in feeds]


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """One item: one row of the input, and which outputs are wanted."""

    values: Array
    wanted: tuple[str, ...] | None

    @property
    def bucket(self) -> Hashable:
        return (self.values.shape[1:], self.values.dtype.str, self.wanted)

    @property
    def fill(self) -> float:
        # A normalised pixel is never exactly 0, padding always is.
        part = self.values[..., ::_EVERY]
        return float(np.count_nonzero(part) / part.size)


class BatchedSession:
    """A session with a batcher in front of it. Implements `models.session.Session`.

    Args:
        session: one input whose first dimension is free.
        limits: how large batches are and how long rows wait for them.
        lanes: batches at once.
        watch: told of every run.

    Raises:
        ConfigurationError: the session cannot be batched.
    """

    def __init__(
        self,
        session: Session,
        limits: Limits,
        *,
        lanes: int = 1,
        watch: Callable[[BatchRun], None] | None = None,
    ) -> None:
        if len(session.inputs) != 1 or session.inputs[0].shape[0] != -1:
            raise ConfigurationError(f"{session.info.name} cannot be batched: prepare it again.")
        self._session = session
        self._input = session.inputs[0].name
        self._batcher: Batcher[_Row, list[Array]] = Batcher(
            self._run,
            limits,
            bucket=lambda row: row.bucket,
            fill=lambda row: row.fill,
            lanes=lanes,
            watch=watch,
        )

    @property
    def info(self) -> ModelInfo:
        """Which weights these are."""
        return self._session.info

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What `run` wants."""
        return self._session.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What `run` answers, in order."""
        return self._session.outputs

    @property
    def providers(self) -> tuple[str, ...]:
        """The execution providers that were really chosen."""
        return self._session.providers

    def run(self, feed: Feed, wanted: Wanted = None) -> list[Array]:
        """Run every row of the feed, in whatever company; as the plain session's `run`."""
        return self.run_each([feed], wanted)[0]

    def run_each(self, feeds: Sequence[Feed], wanted: Wanted = None) -> list[list[Array]]:
        """Run several feeds at once; their rows may end up in different batches."""
        names = None if wanted is None else tuple(wanted)
        tensors = [feed[self._input] for feed in feeds]
        rows = [
            _Row(tensor[place : place + 1], names)
            for tensor in tensors
            for place in range(tensor.shape[0])
        ]
        answers = iter(self._batcher.map(rows))
        return [_joined([next(answers) for _ in range(len(tensor))]) for tensor in tensors]

    def close(self) -> None:
        """End the batcher's threads."""
        self._batcher.close()

    def _run(self, rows: Sequence[_Row]) -> list[list[Array]]:
        tensor = _stacked([row.values for row in rows])
        outputs = self._session.run({self._input: tensor}, rows[0].wanted)
        for output in outputs:
            if output.shape[0] != len(rows):
                raise ModelFailure(
                    f"{self.info.name} answered {output.shape[0]} rows to {len(rows)}: "
                    "run it with batches of 1."
                )
        return [[output[place : place + 1] for output in outputs] for place in range(len(rows))]


def _joined(rows: Sequence[Sequence[Array]]) -> list[Array]:
    return [_stacked(list(parts)) for parts in zip(*rows, strict=True)]


def _stacked(rows: Sequence[Array]) -> Array:
    return rows[0] if len(rows) == 1 else np.concatenate(rows)
