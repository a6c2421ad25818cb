"""Micro-batching: many threads hand in one item each, and the device runs them together.

A caller waits for its own answers and sees its own errors only. A batch that fails is halved until
the item that cannot be run stands alone; a batch that did not fit into the device is not made that
large again. A caller that is cancelled leaves at once, and a batch that nobody waits for any more
is stopped in the runtime.

Batches of one need none of this: they run in the caller's own thread.
"""

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Generic, TypeVar

from models import urgency
from models.cancel import Cancellation, current
from models.plan import Item, Limits, Plan
from packshot import meter
from packshot.errors import ModelFailure, OutOfMemory, PackshotError

log = logging.getLogger(__name__)

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True)
class BatchRun:
    """What one run of the device was like.

    Attributes:
        bucket: what its items had in common.
        size: how many there were.
        waited: seconds that the oldest of them had waited.
        seconds: how long it ran.
        padding: share of the batch that was filled up, in [0, 1].
        failed: it raised.
    """

    bucket: Hashable
    size: int
    waited: float
    seconds: float
    padding: float
    failed: bool


class Call(Generic[Out]):
    """One caller and the answers that it waits for."""

    def __init__(self, count: int) -> None:
        self.answers: dict[int, Out] = {}
        self.error: Exception | None = None
        self.done = threading.Event()
        #: Whose account the runs go to: other threads do them, and these have none.
        self.meter = meter.current()
        self._count = count

    @property
    def over(self) -> bool:
        """Whether nobody waits for further answers."""
        return self.done.is_set()

    def answer(self, place: int, value: Out) -> None:
        """One of the values is through."""
        self.answers[place] = value
        if len(self.answers) == self._count:
            self.done.set()

    def fail(self, error: Exception) -> None:
        """Nothing more is to come; the first error counts."""
        if not self.over:
            self.error = error
            self.done.set()


@dataclass(frozen=True, slots=True, eq=False)
class _Request(Generic[In, Out]):
    """One item of one caller."""

    value: In
    place: int
    call: Call[Out]


@dataclass(frozen=True, slots=True)
class _Running(Generic[In, Out]):
    """A batch on the device, and the switch that stops it."""

    items: list[Item[_Request[In, Out]]]
    cancellation: Cancellation


class Batcher(Generic[In, Out]):
    """Runs items of many threads together. Thread-safe.

    Args:
        run: the batch's function: as many answers as items, in their order.
        limits: how large batches are and how long items wait for them.
        bucket: items of equal bucket may run together.
        fill: share of an item that is not padding, in [0, 1]; for the metrics alone.
        lanes: batches at once; with two, one is copied to the device while the other one runs.
        watch: told of every run.
        clock: seconds; monotonic.
    """

    def __init__(
        self,
        run: Callable[[Sequence[In]], Sequence[Out]],
        limits: Limits,
        *,
        bucket: Callable[[In], Hashable],
        fill: Callable[[In], float] | None = None,
        lanes: int = 1,
        watch: Callable[[BatchRun], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._limits = limits
        self._bucket = bucket
        self._fill = fill
        self._lanes = lanes
        self._watch = watch
        self._clock = clock
        self._plan: Plan[_Request[In, Out]] = Plan(limits)
        self._changed = threading.Condition()
        self._running: list[_Running[In, Out]] = []
        self._threads: list[threading.Thread] = []
        self._closed = False

    def map(self, values: Sequence[In]) -> list[Out]:
        """Run every value, in whatever company; answers in the order of the values.

        Raises:
            ModelFailure: one of the values failed, or the caller was cancelled meanwhile.
            OutOfMemory: one of the values has no room on the device even alone.
        """
        if self._limits.size == 1:
            return [self._answers([value])[0] for value in values]
        if not values:
            return []
        call: Call[Out] = Call(len(values))
        items = self.submit(values, call)
        cancellation = current()
        leave = cancellation.watching(lambda: self._leave(call, items)) if cancellation else None
        with leave or nullcontext():
            call.done.wait()
        if call.error is not None:
            self._withdraw(items)
            raise call.error
        return [call.answers[place] for place in range(len(values))]

    def submit(self, values: Sequence[In], call: Call[Out]) -> list[Item[_Request[In, Out]]]:
        """Hand values in; `call` is told of their answers."""
        wish, now = urgency.current(), self._clock()
        items = [
            Item(_Request(value, place, call), self._bucket(value), now, wish.live, wish.deadline)
            for place, value in enumerate(values)
        ]
        with self._changed:
            if self._closed:
                raise ModelFailure("The process is stopping: the step is run by another worker.")
            self._start()
            for item in items:
                self._plan.add(item)
            self._changed.notify()
        return items

    def step(self) -> bool:
        """Run the batch that is due now, if there is one, in the calling thread."""
        with self._changed:
            items = self._plan.take(self._clock())
        if items:
            self._work(items)
        return bool(items)

    def close(self) -> None:
        """End the threads once their batches are through; what still waits fails."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            threads, self._threads = self._threads, []
            while left := self._plan.take(float("inf")):
                for item in left:
                    item.value.call.fail(ModelFailure("The process is stopping."))
        for thread in threads:
            thread.join()

    def _start(self) -> None:
        while len(self._threads) < self._lanes:
            thread = threading.Thread(target=self._serve, name="batcher", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self) -> None:
        while self._wait():
            self.step()

    def _wait(self) -> bool:
        """Sleep until a batch is due; False once there is nothing more to do."""
        with self._changed:
            while not self._closed:
                left = self._plan.due() - self._clock()
                if left <= 0:
                    # Whoever else waits may have been woken for what this thread takes now.
                    self._changed.notify()
                    return True
                self._changed.wait(min(left, threading.TIMEOUT_MAX))
        return False

    def _work(self, items: list[Item[_Request[In, Out]]]) -> None:
        """Run a batch; where it fails, its halves, down to single items."""
        parts = [items]
        while parts:
            part = [item for item in parts.pop() if not item.value.call.over]
            if not part:
                continue
            try:
                answers = self._attempt(part)
            except PackshotError as error:
                if len(part) == 1:
                    part[0].value.call.fail(error)
                    continue
                if isinstance(error, OutOfMemory):
                    with self._changed:
                        self._plan.shrink(part[0].bucket, len(part))
                middle = (len(part) + 1) // 2
                parts += [part[middle:], part[:middle]]
            else:
                for item, answer in zip(part, answers, strict=True):
                    item.value.call.answer(item.value.place, answer)

    def _attempt(self, part: list[Item[_Request[In, Out]]]) -> Sequence[Out]:
        """One run of the device, cancelled when nobody waits for any of its items."""
        began, failed = self._clock(), True
        try:
            with self._cancellable(part):
                answers = self._answers([item.value.value for item in part])
            failed = False
        finally:
            self._tell(part, began, failed=failed)
        return answers

    def _answers(self, values: list[In]) -> Sequence[Out]:
        try:
            answers = self._run(values)
        except PackshotError:
            raise
        except Exception as error:
            log.exception("a batch of %d raised", len(values))
            raise ModelFailure(
                f"{type(error).__name__} in a batch: this is a bug, see the log."
            ) from error
        if len(answers) != len(values):
            raise ModelFailure(f"A batch of {len(values)} gave {len(answers)} answers.")
        return answers

    @contextmanager
    def _cancellable(self, part: list[Item[_Request[In, Out]]]) -> Iterator[None]:
        running = _Running(part, Cancellation())
        with self._changed:
            self._running.append(running)
        try:
            # A caller that left between the look at it and now has not seen this batch.
            self._stop_deserted()
            with running.cancellation.entered():
                yield
        finally:
            with self._changed:
                self._running.remove(running)

    def _leave(self, call: Call[Out], items: list[Item[_Request[In, Out]]]) -> None:
        """The caller was cancelled: let it go, and stop what runs for it alone."""
        call.fail(ModelFailure("The run was cancelled."))
        self._withdraw(items)
        self._stop_deserted()

    def _withdraw(self, items: list[Item[_Request[In, Out]]]) -> None:
        with self._changed:
            for item in items:
                self._plan.remove(item)

    def _stop_deserted(self) -> None:
        with self._changed:
            deserted = [
                running.cancellation
                for running in self._running
                if all(item.value.call.over for item in running.items)
            ]
        for cancellation in deserted:
            cancellation.cancel()

    def _tell(self, part: list[Item[_Request[In, Out]]], began: float, *, failed: bool) -> None:
        seconds = self._clock() - began
        for item in part:
            if account := item.value.call.meter:
                account.add(device_seconds=seconds / len(part))
        if not failed:
            with self._changed:
                self._plan.ran(part[0].bucket, seconds)
        if self._watch:
            try:
                self._watch(self._described(part, began, seconds, failed=failed))
            except Exception:
                log.exception("whoever watches the batches raised")

    def _described(
        self, part: list[Item[_Request[In, Out]]], began: float, seconds: float, *, failed: bool
    ) -> BatchRun:
        fill = self._fill or (lambda _: 1.0)
        return BatchRun(
            bucket=part[0].bucket,
            size=len(part),
            waited=began - min(item.arrived for item in part),
            seconds=seconds,
            padding=1 - sum(fill(item.value.value) for item in part) / len(part),
            failed=failed,
        )
