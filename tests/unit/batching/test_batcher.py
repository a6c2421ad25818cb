"""Items of many callers in common batches: nobody gets another's answer, or another's error."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.batcher import Batcher, BatchRun, Call
from models.cancel import Cancellation, current
from models.plan import Limits
from models.urgency import Urgency
from packshot.errors import ModelFailure, OutOfMemory
from packshot.meter import metered

#: Seconds that a thread of these tests may take; it takes milliseconds.
PATIENCE = 30.0


@dataclass
class Device:
    """Doubles numbers. Fails on `broken`, has room for `room`, and keeps what it was given."""

    broken: frozenset[int] = frozenset()
    room: int = 1000
    batches: list[list[int]] = field(default_factory=list)

    def run(self, values: Sequence[int]) -> list[int]:
        self.batches.append(list(values))
        if len(values) > self.room:
            raise OutOfMemory("full")
        if bad := self.broken & set(values):
            raise ModelFailure(f"cannot do {sorted(bad)}")
        return [2 * value for value in values]


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class Still(Batcher[int, int]):
    """A batcher without threads: the test steps it."""

    def _start(self) -> None:
        pass


def still(
    device: Device, clock: Clock, size: int = 4, runs: list[BatchRun] | None = None
) -> Batcher[int, int]:
    return Still(
        device.run,
        Limits(size, max_wait=1.0),
        bucket=lambda value: value % 2,
        fill=lambda _: 0.75,
        watch=runs.append if runs is not None else None,
        clock=clock,
    )


def test_each_caller_pays_its_share_of_a_batch() -> None:
    clock = Clock()

    def run(values: Sequence[int]) -> list[int]:
        clock.now += 1.0
        return list(values)

    batcher = Still(run, Limits(4, max_wait=0.0), bucket=lambda _: 0, clock=clock)
    with metered() as first:
        batcher.submit([1, 2, 3], Call(3))
    with metered() as second:
        batcher.submit([4], Call(1))
    batcher.submit([5], Call(1))
    assert batcher.step()
    assert (first.cost().device_seconds, second.cost().device_seconds) == (0.75, 0.25)


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[str, list[int]]]:
    """What callers do, one after the other: hand values in, leave, or let time pass."""
    kinds = st.sampled_from(["bulk", "live", "leave", "wait", "step"])
    return draw(
        st.lists(
            st.tuples(kinds, st.lists(st.integers(0, 40), min_size=1, max_size=6)), max_size=30
        )
    )


@given(
    story=stories(),
    size=st.integers(2, 5),
    room=st.integers(1, 6),
    broken=st.frozensets(st.integers(0, 40), max_size=6),
)
def test_whatever_arrives_everyone_gets_their_own(
    story: list[tuple[str, list[int]]], size: int, room: int, broken: frozenset[int]
) -> None:
    clock, device = Clock(), Device(broken=broken, room=room)
    runs: list[BatchRun] = []
    batcher = still(device, clock, size, runs)
    calls: list[tuple[list[int], Call[int], bool]] = []
    for kind, values in story:
        if kind in {"bulk", "live"}:
            call: Call[int] = Call(len(values))
            with Urgency(live=kind == "live").entered():
                batcher.submit(values, call)
            calls.append((values, call, False))
        elif kind == "leave" and calls:
            number = values[0] % len(calls)
            wanted, call, _ = calls[number]
            gone = not call.over
            call.fail(ModelFailure("left"))
            calls[number] = (wanted, call, gone or calls[number][2])
        elif kind == "wait":
            clock.now += values[0] / 10
        else:
            batcher.step()
    clock.now += 1.0
    while batcher.step():
        pass
    for values, call, gone in calls:
        assert call.over
        if gone:
            assert str(call.error) == "left"
        elif broken & set(values):
            assert isinstance(call.error, ModelFailure)
            assert any(str(value) in str(call.error) for value in broken & set(values))
        else:
            assert call.error is None
            assert [call.answers[place] for place in range(len(values))] == [2 * v for v in values]
    assert all(len(batch) <= size for batch in device.batches)
    assert all(len({value % 2 for value in batch}) == 1 for batch in device.batches)
    assert [run.size for run in runs] == [len(batch) for batch in device.batches]


def test_a_batch_that_did_not_fit_is_halved_and_not_made_again() -> None:
    clock, device = Clock(), Device(room=2)
    batcher = still(device, clock, size=4)
    first: Call[int] = Call(4)
    batcher.submit([2, 4, 6, 8], first)
    assert batcher.step()
    second: Call[int] = Call(2)
    batcher.submit([10, 12], second)
    assert batcher.step()
    assert device.batches == [[2, 4, 6, 8], [2, 4], [6, 8], [10, 12]]
    assert first.answers == {0: 4, 1: 8, 2: 12, 3: 16}
    assert second.answers == {0: 20, 1: 24}


def test_what_is_told_of_a_run() -> None:
    clock, device, runs = Clock(5.0), Device(broken=frozenset({4})), list[BatchRun]()
    batcher = still(device, clock, runs=runs)
    batcher.submit([2, 4], Call(2))
    clock.now = 6.5
    batcher.step()
    assert runs[0] == BatchRun(0, 2, waited=1.5, seconds=0.0, padding=0.25, failed=True)
    assert [(run.size, run.failed) for run in runs[1:]] == [(1, False), (1, True)]


def test_too_few_answers_are_nobody_s_answers() -> None:
    batcher = Batcher[int, int](lambda values: values[:1], Limits(2, 0.0), bucket=lambda _: 0)
    try:
        # Alone, each gets its own.
        assert batcher.map([1, 2]) == [1, 2]
    finally:
        batcher.close()


def test_a_bug_gets_a_name() -> None:
    def bug(values: Sequence[int]) -> Sequence[int]:
        raise KeyError("oops")

    batcher = Batcher[int, int](bug, Limits(2, 0.0), bucket=lambda _: 0)
    try:
        with pytest.raises(ModelFailure, match="KeyError in a batch"):
            batcher.map([1])
    finally:
        batcher.close()


def test_one_at_a_time_runs_in_the_caller_s_thread() -> None:
    seen: list[int] = []

    def run(values: Sequence[int]) -> Sequence[int]:
        seen.append(threading.get_ident())
        return values

    batcher = Batcher[int, int](run, Limits(1), bucket=lambda _: 0)
    assert batcher.map([3, 1, 2]) == [3, 1, 2]
    assert seen == [threading.get_ident()] * 3


def test_many_threads_share_batches() -> None:
    device, together = Device(), threading.Barrier(8)
    batcher = Batcher(device.run, Limits(8, PATIENCE), bucket=lambda _: 0)
    answers: dict[int, list[int]] = {}

    def caller(number: int) -> None:
        together.wait(PATIENCE)
        answers[number] = batcher.map([number])

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    batcher.close()
    # It waits for the eighth: the time limit is far away.
    assert [sorted(batch) for batch in device.batches] == [list(range(8))]
    assert answers == {number: [2 * number] for number in range(8)}


def test_a_cancelled_caller_leaves_at_once_and_the_others_go_on() -> None:
    started, goes_on = threading.Event(), threading.Event()

    def run(values: Sequence[int]) -> Sequence[int]:
        started.set()
        assert goes_on.wait(PATIENCE)
        return values

    batcher = Batcher[int, int](run, Limits(2, PATIENCE), bucket=lambda _: 0)
    stop, errors, answers = Cancellation(), list[ModelFailure](), list[int]()

    def leaver() -> None:
        with stop.entered():
            try:
                batcher.map([1])
            except ModelFailure as error:
                errors.append(error)

    threads = [
        threading.Thread(target=leaver),
        threading.Thread(target=lambda: answers.extend(batcher.map([2]))),
    ]
    for thread in threads:
        thread.start()
    assert started.wait(PATIENCE)
    stop.cancel()
    threads[0].join(PATIENCE)
    assert "cancelled" in str(errors[0])
    goes_on.set()
    threads[1].join(PATIENCE)
    batcher.close()
    assert answers == [2]


def test_a_batch_that_nobody_waits_for_is_stopped() -> None:
    started, stopped = threading.Event(), threading.Event()

    def run(values: Sequence[int]) -> Sequence[int]:
        cancellation = current()
        assert cancellation is not None
        with cancellation.watching(stopped.set):
            started.set()
            assert stopped.wait(PATIENCE)
        raise ModelFailure("terminated")

    batcher = Batcher[int, int](run, Limits(2, 0.0), bucket=lambda _: 0)
    stop, errors = Cancellation(), list[ModelFailure]()

    def leaver() -> None:
        with stop.entered():
            try:
                batcher.map([1])
            except ModelFailure as error:
                errors.append(error)

    thread = threading.Thread(target=leaver)
    thread.start()
    assert started.wait(PATIENCE)
    stop.cancel()
    thread.join(PATIENCE)
    batcher.close()
    assert stopped.is_set()
    assert "cancelled" in str(errors[0])


def test_a_watcher_that_raises_hurts_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def watch(_: BatchRun) -> None:
        raise RuntimeError("no room for metrics")

    batcher = Batcher(Device().run, Limits(2, 0.0), bucket=lambda _: 0, watch=watch)
    try:
        assert batcher.map([1]) == [2]
        assert batcher.map([2]) == [4]
    finally:
        batcher.close()
    assert "whoever watches" in caplog.text


def test_after_the_end_nothing_is_taken_in() -> None:
    batcher = Batcher(Device().run, Limits(2, PATIENCE), bucket=lambda _: 0)
    waiting: Call[int] = Call(1)
    batcher.submit([1], waiting)
    batcher.close()
    assert "stopping" in str(waiting.error)
    with pytest.raises(ModelFailure, match="stopping"):
        batcher.map([2])
