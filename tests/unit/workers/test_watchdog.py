"""Steps that take too long."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from models.cancel import Cancellation, current
from packshot.contract import Image, Job, Step
from packshot.store.ledger import Ticket, Verdict
from tasks.running import Running, Slot
from workers.watchdog import Watchdog

JOB = Job(version=1, source="tests", job_id="1", image=Image(uri="s3://a/b"))


def ticket() -> Ticket:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return Ticket(Verdict.RUN, uuid4(), Step.OCR, JOB, now, fence=1, attempt=1)


@pytest.fixture
def hangs() -> list[str]:
    return []


def watch(running: Running, hangs: list[str]) -> Watchdog:
    return Watchdog(running, 10.0, lambda: hangs.append("hang"), grace_seconds=5.0)


def age(slot: Slot, seconds: float) -> None:
    slot.started -= seconds


def test_a_step_within_its_limit_is_left_alone(hangs: list[str]) -> None:
    running = Running()
    with running.entered(ticket()) as slot:
        age(slot, 9)
        watch(running, hangs).look()
        assert not slot.cancellation.cancelled
    assert hangs == []


def test_an_overdue_step_is_cancelled_in_the_runtime(hangs: list[str]) -> None:
    running = Running()
    switched: list[str] = []
    with running.entered(ticket()) as slot:
        own = current()
        assert own is slot.cancellation
        with own.watching(lambda: switched.append("off")):
            age(slot, 11)
            watch(running, hangs).look()
        assert (switched, slot.forsaken, hangs) == (["off"], False, [])


def test_a_step_that_does_not_come_back_is_forsaken_once(hangs: list[str]) -> None:
    running = Running()
    watchdog = watch(running, hangs)
    with running.entered(ticket()) as slot, running.entered(ticket()) as other:
        age(slot, 16)
        watchdog.look()
        watchdog.look()
        assert (slot.forsaken, other.forsaken, hangs) == (True, False, ["hang"])
        # Its lease is not renewed any more, so that another worker may take it over.
        assert running.held() == (other.ticket,)


def test_a_switch_that_comes_late_is_thrown_at_once() -> None:
    switched: list[str] = []
    cancellation = Cancellation()
    cancellation.cancel()
    with cancellation.watching(lambda: switched.append("off")):
        assert switched == ["off"]


def test_without_a_step_there_is_nothing_to_cancel() -> None:
    assert current() is None


def test_what_is_owed_is_given_back_and_forgotten() -> None:
    running = Running()
    given: list[Ticket] = []
    one, two = ticket(), ticket()
    running.owe(one)
    running.owe(two)
    running.settle(given.append)
    running.settle(given.append)
    assert given == [one, two]
