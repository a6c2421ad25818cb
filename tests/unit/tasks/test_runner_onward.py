"""A worker that serves the next step too goes on with it under the message that it holds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from packshot.contract import Lane, Step
from packshot.errors import CorruptImage, OutOfMemory, StorageUnavailable
from tasks.backoff import TRIES
from tasks.delivery import End, Next
from tests.support.runner_bench import JOB, LEASE, Bench, raising

#: The commit is written, and then the database does not answer for as long as a step is tried.
_AWAY = [("advance", True), *[("advance", False)] * (TRIES - 1)]


@pytest.mark.parametrize(
    ("served", "ran", "end"),
    [
        pytest.param((), 1, End(Next.HAND_ON, Step.PREPARE, Step.OCR), id="nothing else"),
        pytest.param((Step.OCR,), 2, End(Next.HAND_ON, Step.OCR, Step.FINISH), id="the next"),
        pytest.param((Step.FINISH,), 1, End(Next.HAND_ON, Step.PREPARE, Step.OCR), id="not it"),
        pytest.param(tuple(Step), 3, End(Next.HAND_ON, Step.FINISH), id="all of them"),
    ],
)
def test_it_goes_on_as_far_as_it_serves(
    bench: Bench, served: tuple[Step, ...], ran: int, end: End
) -> None:
    row = bench.submit()
    assert bench.going_on(*served).deliver(row, Step.PREPARE, worker="w1") == end
    assert [step for _, step in bench.ran] == list(JOB.chain[:ran])
    assert bench.seen == [(row, step, Next.HAND_ON) for step in JOB.chain[:ran]]
    assert bench.view().status == ("accepted" if ran == 3 else "running")
    assert len(bench.events()) == (ran == 3)


def test_it_asks_with_the_jobs_lane(bench: Bench) -> None:
    asked: list[tuple[Step, Lane]] = []

    def goes_on(step: Step, lane: Lane) -> bool:
        asked.append((step, lane))
        return False

    runner = replace(bench.runner, goes_on=goes_on)
    live = bench.ledger.submit(JOB.model_copy(update={"lane": Lane.LIVE}))
    runner.deliver(live.id, Step.PREPARE, worker="w1", lane=Lane.LIVE)
    assert set(asked) == {(Step.OCR, Lane.LIVE)}


def test_an_error_three_steps_on_ends_job_and_message(bench: Bench) -> None:
    bench.instead[Step.FINISH] = raising(CorruptImage("Not this one."))
    end = bench.going_on(*Step).deliver(bench.submit(), Step.PREPARE, worker="w1")
    assert end == End(Next.STOP, Step.FINISH)
    assert (bench.view().status, bench.view().code) == ("failed", "corrupt_image")
    (event,) = bench.events()
    assert event["data"]["step"] == "finish"


def test_a_later_step_that_needs_the_device_to_itself_is_alone_at_its_second_try(
    bench: Bench,
) -> None:
    bench.instead[Step.OCR] = raising(OutOfMemory("The device is full."), times=1)
    end = bench.going_on(*Step).deliver(bench.submit(), Step.PREPARE, worker="w1")
    assert end == End(Next.HAND_ON, Step.FINISH)
    assert [step for _, step in bench.ran] == [Step.PREPARE, Step.OCR, Step.OCR, Step.FINISH]
    assert bench.step(Step.OCR).attempt == 1


def test_an_outage_puts_the_message_back_and_the_rest_is_done_from_there(bench: Bench) -> None:
    bench.instead[Step.OCR] = raising(StorageUnavailable("The store is away."), TRIES)
    runner, row = bench.going_on(*Step), bench.submit()
    assert runner.deliver(row, Step.PREPARE, worker="w1") == End(Next.AGAIN, Step.OCR)
    assert runner.deliver(row, Step.PREPARE, worker="w2", handbacks=1) == End(
        Next.HAND_ON, Step.FINISH
    )
    assert bench.view().status == "accepted"
    assert [step.attempt for step in bench.view().steps] == [1, 1, 1]
    assert [step for _, step in bench.ran].count(Step.PREPARE) == 1


def test_the_message_of_a_worker_that_died_later_in_the_chain_finds_its_job(bench: Bench) -> None:
    runner, row = bench.going_on(*Step), bench.submit()
    bench.deliver(row, Step.PREPARE)
    bench.ledger.begin(row, Step.OCR, worker="dies", carrier=Step.PREPARE)
    assert runner.deliver(row, Step.PREPARE, worker="w2") == End(Next.LATER, Step.OCR), (
        "its lease lives"
    )
    bench.ledger.now += LEASE + timedelta(seconds=1)
    assert runner.deliver(row, Step.PREPARE, worker="w2") == End(Next.HAND_ON, Step.FINISH)
    assert [step.attempt for step in bench.view().steps] == [1, 2, 1]


def test_a_worker_that_does_not_serve_the_step_sends_the_message_there(bench: Bench) -> None:
    """The worker that died had another role, or this one has been given another since."""
    row = bench.submit()
    bench.deliver(row, Step.PREPARE)
    bench.ledger.begin(row, Step.OCR, worker="dies", carrier=Step.PREPARE)
    end = bench.runner.deliver(row, Step.PREPARE, worker="w2")
    assert end == End(Next.HAND_ON, Step.PREPARE, Step.OCR)


@pytest.mark.parametrize(
    "failures",
    [
        pytest.param([("advance", True)], id="the first commit, written"),
        pytest.param(_AWAY, id="written, and then it is away"),
        pytest.param([("advance", False)] * (TRIES - 1), id="not written for a while"),
        pytest.param([("begin", True)], id="the first begin, written"),
    ],
)
def test_a_write_without_an_answer_does_not_keep_it_from_going_on(
    bench: Bench, failures: list[tuple[str, bool]]
) -> None:
    bench.ledger.failures = list(failures)
    end = bench.going_on(*Step).deliver(bench.submit(), Step.PREPARE, worker="w1")
    assert end == End(Next.HAND_ON, Step.FINISH)
    assert bench.view().status == "accepted"
    assert [step.attempt for step in bench.view().steps] == [1, 1, 1]


def test_a_second_message_leaves_the_job_to_the_first(bench: Bench) -> None:
    ends: list[End] = []
    runner, row = bench.going_on(*Step), bench.submit()
    bench.instead[Step.FINISH] = lambda _: ends.extend(
        runner.deliver(row, step, worker="w2") for step in (Step.PREPARE, Step.OCR)
    )
    assert runner.deliver(row, Step.PREPARE, worker="w1") == End(Next.HAND_ON, Step.FINISH)
    assert ends == [End(Next.LATER, Step.FINISH), End(Next.STOP, Step.OCR)]
    assert runner.deliver(row, Step.PREPARE, worker="w2") == End(Next.STOP, Step.PREPARE), (
        "it is settled"
    )
    assert len(bench.ran) == 3
