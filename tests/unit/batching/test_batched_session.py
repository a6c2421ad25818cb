"""A session with a batcher in front of it answers what the plain one does."""

import threading
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from models.batched import BatchedSession, run_each
from models.batcher import BatchRun
from models.bundle import Batching
from models.plan import Limits
from models.session import Array, TensorSpec
from packshot.errors import ConfigurationError, ModelFailure
from packshot.results import ModelInfo


class Sums:
    """Answers the sum of each row and the row itself. Implements `Session`."""

    info = ModelInfo(name="sums", version="1", sha256="0" * 64, licence="Apache-2.0")
    outputs = (TensorSpec("sum", (-1, 1), "float32"), TensorSpec("same", (-1, -1), "float32"))
    providers = ("test",)

    def __init__(self, rows: int = -1, answers: int | None = None) -> None:
        self.inputs = (TensorSpec("x", (rows, -1), "float32"),)
        self.shapes: list[tuple[int, ...]] = []
        self._answers = answers

    def run(self, feed: Mapping[str, Array], wanted: Sequence[str] | None = None) -> list[Array]:
        rows = feed["x"]
        self.shapes.append(rows.shape)
        both = {"sum": rows.sum(axis=1, keepdims=True)[: self._answers], "same": rows}
        return [both[name] for name in wanted or ("sum", "same")]


def rows(*widths: int) -> list[dict[str, Array]]:
    return [{"x": np.full((1, width), width, np.float32)} for width in widths]


def test_rows_of_equal_shape_run_together() -> None:
    session, runs = Sums(), list[BatchRun]()
    batched = BatchedSession(session, Limits(3, 0.0), watch=runs.append)
    feeds = rows(2, 5, 2, 5, 2)
    try:
        answers = run_each(batched, feeds, ["sum"])
    finally:
        batched.close()
    assert [float(answer[0][0, 0]) for answer in answers] == [4, 25, 4, 25, 4]
    assert sorted(session.shapes) == [(2, 5), (3, 2)]
    assert all(run.padding == 0 for run in runs)


def test_the_same_as_a_plain_session() -> None:
    plain, batched = Sums(), BatchedSession(Sums(), Limits(4, 0.0))
    feed = {"x": np.arange(12, dtype=np.float32).reshape(6, 2)}
    try:
        for got, wanted in zip(batched.run(feed), plain.run(feed), strict=True):
            np.testing.assert_array_equal(got, wanted)
    finally:
        batched.close()
    assert (batched.info, batched.inputs, batched.outputs, batched.providers) == (
        plain.info,
        plain.inputs,
        plain.outputs,
        plain.providers,
    )


def test_a_plain_session_runs_one_by_one() -> None:
    session = Sums()
    assert [float(answer[0][0, 0]) for answer in run_each(session, rows(2, 3))] == [4, 9]
    assert session.shapes == [(1, 2), (1, 3)]


def test_rows_that_are_missing_are_noticed() -> None:
    batched = BatchedSession(Sums(answers=0), Limits(2, 0.0))
    try:
        with pytest.raises(ModelFailure, match="answered 0 rows to 1"):
            batched.run(rows(2)[0])
    finally:
        batched.close()


def test_a_net_for_one_photo_only_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="cannot be batched"):
        BatchedSession(Sums(rows=1), Limits(2))


def test_batches_of_one_start_no_thread() -> None:
    before = threading.active_count()
    batched = BatchedSession(Sums(), Limits(1))
    assert float(batched.run(rows(4)[0])[0][0, 0]) == 16
    assert threading.active_count() == before


def test_who_watches_is_told_the_models_name() -> None:
    told: list[tuple[str, int]] = []
    gather = Batching(size=3, watch=lambda model, run: told.append((model, run.size)))
    batched = gather.apply(Sums())
    assert isinstance(batched, BatchedSession)
    try:
        run_each(batched, rows(2, 2, 2), ["sum"])
    finally:
        batched.close()
    assert told == [("sums", 3)]
