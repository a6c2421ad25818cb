"""The order in which a worker runs what it holds."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from models.plan import HEAD_START
from packshot.contract import Lane, Step, queue_name
from workers.pool import LanePool


class Clock:
    """Tells what it is told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Rehearsal:
    """A pool of one thread, which is busy until `let_go`."""

    def __init__(self) -> None:
        self.clock, self.ran = Clock(), list[str]()
        self.pool = LanePool(1, clock=self.clock)
        self.busy, self._idle = threading.Event(), threading.Event()
        self.pool.on_apply(self._rest)
        assert self._idle.wait(10)

    def _rest(self, *_: Any) -> None:
        self._idle.set()
        self.busy.wait(10)

    def hold(self, name: str, lane: Lane, at: float) -> None:
        """A step comes in."""
        self.clock.now = at
        request = {"delivery_info": {"routing_key": queue_name(Step.OCR, lane)}}
        self.pool.on_apply(self._run, ("packshot.ocr", name, request, b"", "", ""))

    def _run(self, _task: str, name: str, *_: Any) -> None:
        self.ran.append(name)

    def let_go(self) -> list[str]:
        """What ran, in order."""
        done = threading.Event()
        self.clock.now = 10_000.0
        self.pool.on_apply(lambda *_: done.set())
        self.busy.set()
        assert done.wait(10)
        return self.ran


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    made = Rehearsal()
    yield made
    made.let_go()
    made.pool.on_stop()


def test_a_live_step_runs_before_the_bulk_steps_that_are_held(rehearsal: Rehearsal) -> None:
    for number in range(3):
        rehearsal.hold(f"bulk {number}", Lane.BULK, number)
    rehearsal.hold("live", Lane.LIVE, 3)
    assert rehearsal.let_go() == ["live", "bulk 0", "bulk 1", "bulk 2"]


def test_a_bulk_step_that_has_waited_long_is_not_overtaken_any_more(rehearsal: Rehearsal) -> None:
    rehearsal.hold("old", Lane.BULK, 0)
    rehearsal.hold("bulk", Lane.BULK, 2)
    rehearsal.hold("live", Lane.LIVE, HEAD_START + 1)
    assert rehearsal.let_go() == ["old", "live", "bulk"]


def test_equals_run_in_the_order_in_which_they_came(rehearsal: Rehearsal) -> None:
    for number in range(5):
        rehearsal.hold(f"{number}", Lane.BULK, 1)
    assert rehearsal.let_go() == [f"{number}" for number in range(5)]


def test_what_has_not_begun_is_given_up_when_the_pool_stops() -> None:
    stopped = Rehearsal()
    stopped.hold("later", Lane.LIVE, 1)
    stopped.pool.executor.shutdown(wait=False, cancel_futures=True)
    stopped.busy.set()
    stopped.pool.on_stop()
    assert stopped.ran == []


def test_it_knows_whether_a_live_step_waits(rehearsal: Rehearsal) -> None:
    assert not rehearsal.pool.live_waits()
    rehearsal.hold("bulk", Lane.BULK, at=1.0)
    assert not rehearsal.pool.live_waits()
    rehearsal.hold("live", Lane.LIVE, at=2.0)
    assert rehearsal.pool.live_waits()
    assert rehearsal.let_go() == ["live", "bulk"]
    assert not rehearsal.pool.live_waits()
