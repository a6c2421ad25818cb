"""The runner over a real ledger, with stages of one line: what becomes of each delivery."""

import dataclasses
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from packshot.contract import Step
from packshot.errors import (
    ConfigurationError,
    CorruptImage,
    Fenced,
    ModelMissing,
    OutOfMemory,
    PackshotError,
    SourceUnavailable,
    StorageUnavailable,
)
from packshot.store.ledger import Outcome, Verdict
from tasks.backoff import TRIES
from tasks.delivery import Next
from tasks.runner import SOURCE_PATIENCE
from tasks.stage import Work
from tests.support.runner_bench import JOB, LEASE, Bench, Note, raising


def test_a_job_goes_from_hand_to_hand_and_ends_with_one_event(bench: Bench) -> None:
    row = bench.submit()
    assert [bench.deliver(row, step) for step in JOB.chain] == [Next.HAND_ON] * 3
    view = bench.view()
    assert (view.status, view.result) == ("accepted", {"ok": True})
    assert [one.result for one in view.steps] == [{"text": step} for step in JOB.chain]
    assert [one.attempt for one in view.steps] == [1, 1, 1]
    assert [event["type"] for event in bench.events()] == ["job.accepted"]
    assert bench.seen == [(row, step, Next.HAND_ON) for step in JOB.chain]
    assert bench.slept == []


def test_a_stage_sees_what_the_steps_before_it_found(bench: Bench) -> None:
    seen: list[Any] = []
    bench.instead[Step.FINISH] = lambda work: seen.append(
        (work.result(Step.OCR, Note), work.result(Step.MATTING, Note))
    )
    row = bench.submit()
    for step in JOB.chain:
        bench.deliver(row, step)
    assert seen == [(Note(text="ocr"), None)]


@pytest.mark.parametrize(
    ("done", "again", "fate"),
    [
        pytest.param(1, Step.PREPARE, Next.HAND_ON, id="done, the next one has not begun"),
        pytest.param(2, Step.PREPARE, Next.STOP, id="done, the next one too"),
        pytest.param(3, Step.FINISH, Next.STOP, id="the job is settled"),
        pytest.param(0, Step.OCR, Next.STOP, id="too early"),
    ],
)
def test_a_redelivery_costs_no_work(bench: Bench, done: int, again: Step, fate: Next) -> None:
    row = bench.submit()
    for step in JOB.chain[:done]:
        bench.deliver(row, step)
    assert bench.deliver(row, again) is fate
    assert len(bench.ran) == done


def test_a_second_message_waits_while_the_first_one_is_at_work(bench: Bench) -> None:
    fates: list[Next] = []
    row = bench.submit()
    bench.instead[Step.PREPARE] = lambda _: fates.append(bench.deliver(row, Step.PREPARE))
    assert bench.deliver(row, Step.PREPARE) is Next.HAND_ON
    assert fates == [Next.LATER]
    assert len(bench.ran) == 1


def test_the_message_of_an_unknown_job_is_dead_lettered(bench: Bench) -> None:
    assert bench.deliver(uuid4(), Step.PREPARE) is Next.DEAD


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(CorruptImage("The file ends early."), id="rejected"),
        pytest.param(ModelMissing("Pull the weights."), id="model"),
    ],
)
def test_what_cannot_work_fails_the_job_with_its_name(bench: Bench, error: PackshotError) -> None:
    bench.instead[Step.PREPARE] = raising(error)
    row = bench.submit()
    assert bench.deliver(row, Step.PREPARE) is Next.STOP
    view = bench.view()
    assert (view.status, view.code, view.message) == ("failed", error.code, str(error))
    assert bench.step(Step.PREPARE).status == "failed"
    (event,) = bench.events()
    assert (event["type"], event["data"]["step"]) == ("job.failed", "prepare")
    assert (len(bench.ran), bench.slept) == (1, [])


def test_a_bug_gets_a_row_and_the_next_job_runs(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.instead[Step.PREPARE] = raising(ZeroDivisionError("division by zero"), times=1)
    with caplog.at_level(logging.ERROR):
        assert bench.deliver(bench.submit(), Step.PREPARE) is Next.STOP
    view = bench.view()
    assert (view.status, view.code) == ("failed", "internal_error")
    assert view.message == "ZeroDivisionError in step prepare: this is a bug, see the log."
    assert "division by zero" in caplog.text
    assert bench.deliver(bench.submit("2"), Step.PREPARE) is Next.HAND_ON


@pytest.mark.parametrize("times", [1, TRIES - 1])
def test_a_short_outage_is_sat_out_inside_the_attempt(bench: Bench, times: int) -> None:
    bench.instead[Step.PREPARE] = raising(StorageUnavailable("The store is away."), times)
    row = bench.submit()
    assert bench.deliver(row, Step.PREPARE) is Next.HAND_ON
    assert (len(bench.ran), len(bench.slept)) == (times + 1, times)
    assert bench.step(Step.PREPARE).attempt == 1


def test_a_long_outage_hands_the_message_back_and_costs_no_attempt(bench: Bench) -> None:
    bench.instead[Step.PREPARE] = raising(StorageUnavailable("The store is away."), 3 * TRIES)
    row = bench.submit()
    for handbacks in range(3):
        assert bench.deliver(row, Step.PREPARE, handbacks) is Next.AGAIN
        step = bench.step(Step.PREPARE)
        assert (step.status, step.attempt) == ("pending", 0)
    assert bench.deliver(row, Step.PREPARE, 3) is Next.HAND_ON
    assert bench.step(Step.PREPARE).attempt == 1
    assert bench.events() == []


def test_the_patience_with_a_producers_server_has_an_end(bench: Bench) -> None:
    bench.instead[Step.PREPARE] = raising(SourceUnavailable("cdn.example.com answered 503."))
    row = bench.submit()
    for handbacks in range(SOURCE_PATIENCE):
        assert bench.deliver(row, Step.PREPARE, handbacks) is Next.AGAIN
    assert bench.view().status == "running"
    assert bench.deliver(row, Step.PREPARE, SOURCE_PATIENCE) is Next.STOP
    assert (bench.view().status, bench.view().code) == ("failed", "source_unavailable")


def test_our_own_storage_is_waited_for_without_end(bench: Bench) -> None:
    bench.instead[Step.PREPARE] = raising(StorageUnavailable("The store is away."))
    row = bench.submit()
    assert bench.deliver(row, Step.PREPARE, 10_000) is Next.AGAIN


def test_a_wrong_installation_is_waited_for_and_the_job_says_why(bench: Bench) -> None:
    refused = ConfigurationError("The object store refused access: check the keys.")
    bench.instead[Step.PREPARE] = raising(refused, times=1)
    row = bench.submit()
    assert bench.deliver(row, Step.PREPARE, 10_000) is Next.AGAIN
    step = bench.step(Step.PREPARE)
    assert (step.status, step.attempt) == ("pending", 0)
    assert (step.code, step.message) == ("configuration", str(refused))
    assert bench.deliver(row, Step.PREPARE) is Next.HAND_ON
    assert bench.step(Step.PREPARE).code is None


def test_nobody_mends_the_installation_of_an_embedded_run_meanwhile(bench: Bench) -> None:
    bench.runner = dataclasses.replace(bench.runner, mended=False)
    bench.instead[Step.PREPARE] = raising(ConfigurationError("The disk is read-only."))
    row = bench.submit()
    assert bench.deliver(row, Step.PREPARE) is Next.STOP
    assert (bench.view().status, bench.view().code) == ("failed", "configuration")


def test_a_photo_that_fills_the_device_runs_again_alone(bench: Bench) -> None:
    bench.instead[Step.PREPARE] = raising(OutOfMemory("The device is full."), times=1)
    row = bench.submit()
    assert bench.deliver(row, Step.PREPARE) is Next.HAND_ON
    assert len(bench.ran) == 2
    assert bench.step(Step.PREPARE).attempt == 1


def test_a_photo_that_fills_the_device_even_alone_has_failed(bench: Bench) -> None:
    bench.instead[Step.PREPARE] = raising(OutOfMemory("The device is full."))
    row = bench.submit()
    assert bench.deliver(row, Step.PREPARE) is Next.STOP
    assert len(bench.ran) == 2
    assert (bench.view().status, bench.view().code) == ("failed", "out_of_memory")


def test_a_late_result_is_dropped(bench: Bench) -> None:
    row = bench.submit()

    def overtaken(_: Work) -> None:
        bench.ledger.now += 2 * LEASE  # this worker was silent for too long
        newer = bench.ledger.begin(row, Step.PREPARE, worker="w2", alone=True)
        assert newer.verdict is Verdict.RUN
        bench.ledger.commit(newer, Outcome({"text": "newer"}))

    bench.instead[Step.PREPARE] = overtaken
    assert bench.deliver(row, Step.PREPARE) is Next.STOP
    assert bench.step(Step.PREPARE).result == {"text": "newer"}


def test_a_cancelled_job_is_not_written(bench: Bench) -> None:
    row = bench.submit()

    def cancelled(_: Work) -> None:
        assert bench.ledger.cancel("tests", "1")

    bench.instead[Step.PREPARE] = cancelled
    assert bench.deliver(row, Step.PREPARE) is Next.STOP
    assert bench.view().status == "cancelled"
    assert bench.events() == []


def test_a_stage_that_learns_that_it_is_fenced_stops(bench: Bench) -> None:
    bench.instead[Step.PREPARE] = raising(Fenced("taken over"))
    assert bench.deliver(bench.submit(), Step.PREPARE) is Next.STOP
    assert bench.view().status == "running"


def test_a_photo_that_kills_its_workers_is_poison_and_its_message_rests(bench: Bench) -> None:
    row = bench.submit()
    for _ in range(4):
        ticket = bench.ledger.begin(row, Step.PREPARE, worker="dead", alone=True)
        assert ticket.verdict is Verdict.RUN
        bench.ledger.now += 2 * LEASE
    assert bench.deliver(row, Step.PREPARE) is Next.DEAD
    assert (bench.view().status, bench.view().code) == ("failed", "poison")
    assert bench.ran == []


def test_a_suspect_runs_with_nothing_beside_it(bench: Bench) -> None:
    suspect = bench.submit("suspect")
    bench.ledger.begin(suspect, Step.PREPARE, worker="dead")
    bench.ledger.now += 2 * LEASE
    lock = threading.Lock()
    busy: set[str] = set()
    beside: set[str] = set()

    def count(work: Work) -> None:
        name = work.job.job_id
        with lock:
            busy.add(name)
        for _ in range(20):
            time.sleep(0)  # let the others in, if the gate does
            with lock:
                if "suspect" in busy:
                    beside.update(busy)
        with lock:
            busy.remove(name)

    bench.instead[Step.PREPARE] = count
    rows = [bench.submit(str(number)) for number in range(8)]
    rows.insert(4, suspect)
    with ThreadPoolExecutor(4) as pool:
        fates = list(pool.map(lambda row: bench.deliver(row, Step.PREPARE), rows))
    assert fates == [Next.HAND_ON] * 9
    assert beside == {"suspect"}


def test_a_failed_job_that_is_retried_goes_on_where_it_was(bench: Bench) -> None:
    bench.instead[Step.OCR] = raising(ModelMissing("Pull the weights."), times=1)
    row = bench.submit()
    assert [bench.deliver(row, step) for step in (Step.PREPARE, Step.OCR)] == [
        Next.HAND_ON,
        Next.STOP,
    ]
    assert bench.ledger.retry("tests", "1")[2] is Step.OCR
    assert [bench.deliver(row, step) for step in (Step.OCR, Step.FINISH)] == [Next.HAND_ON] * 2
    assert [step for _, step in bench.ran] == [Step.PREPARE, Step.OCR, Step.OCR, Step.FINISH]
    assert [event["type"] for event in bench.events()] == ["job.failed", "job.accepted"]


def test_many_threads_may_run_one_runner(bench: Bench) -> None:
    rows = [bench.submit(str(number)) for number in range(6)]

    def through(row: UUID) -> list[Next]:
        return [bench.deliver(row, step) for step in JOB.chain]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(through, rows)) == [[Next.HAND_ON] * 3] * 6
    assert bench.services.views.counts("tests") == {"accepted": 6}
    assert len(bench.events()) == 6
