"""A database that comes and goes: nothing is told twice, nothing is lost."""

import pytest

from packshot.contract import Step
from packshot.errors import (
    CorruptImage,
    StorageUnavailable,
)
from tasks.backoff import TRIES
from tasks.delivery import Next
from tests.support.runner_bench import Bench, raising


@pytest.mark.parametrize(
    ("failures", "fate"),
    [
        pytest.param([("begin", False)], Next.HAND_ON, id="begin, for a moment"),
        pytest.param([("begin", False)] * TRIES, Next.AGAIN, id="begin, for long"),
        pytest.param([("commit", False)] * 2, Next.HAND_ON, id="commit, for a moment"),
        pytest.param([("commit", True)], Next.HAND_ON, id="commit, its answer lost"),
        pytest.param([("commit", False)] * TRIES, Next.AGAIN, id="commit, for long"),
        pytest.param(
            [("commit", True)] + [("commit", False)] * (TRIES - 1),
            Next.HAND_ON,
            id="commit, its answer lost and then for long",
        ),
        pytest.param(
            [("commit", False)] * TRIES + [("release", True)],
            Next.AGAIN,
            id="commit for long, the answer to the release lost",
        ),
        pytest.param(
            [("commit", True)] * 1 + [("commit", False)] * (TRIES - 1) + [("release", False)],
            Next.AGAIN,
            id="commit's answer lost, and the release in doubt",
        ),
        pytest.param(
            [("commit", False)] * TRIES + [("release", False)] * TRIES,
            Next.AGAIN,
            id="commit and release, for long",
        ),
    ],
)
def test_a_job_survives_a_database_that_comes_and_goes(
    bench: Bench, failures: list[tuple[str, bool]], fate: Next
) -> None:
    row = bench.submit()
    bench.ledger.failures = list(failures)
    assert bench.deliver(row, Step.PREPARE) is fate
    assert bench.ledger.failures == []
    # The worker pays back what it owes, as its housekeeping does.
    bench.runner.running.settle(bench.ledger.release)
    if fate is Next.AGAIN:
        assert bench.deliver(row, Step.PREPARE, 1) is Next.HAND_ON
    step = bench.step(Step.PREPARE)
    assert (step.status, step.attempt) == ("done", 1)
    assert [bench.deliver(row, step) for step in (Step.OCR, Step.FINISH)] == [Next.HAND_ON] * 2
    assert [event["type"] for event in bench.events()] == ["job.accepted"]


@pytest.mark.parametrize(
    ("failures", "fate"),
    [
        pytest.param([("fail", False)], Next.STOP, id="for a moment"),
        pytest.param([("fail", True)], Next.STOP, id="its answer lost"),
        pytest.param([("fail", False)] * TRIES, Next.AGAIN, id="for long"),
    ],
)
def test_a_failure_is_told_once_however_the_database_is(
    bench: Bench, failures: list[tuple[str, bool]], fate: Next
) -> None:
    bench.instead[Step.PREPARE] = raising(CorruptImage("The file ends early."))
    row = bench.submit()
    bench.ledger.failures = list(failures)
    assert bench.deliver(row, Step.PREPARE) is fate
    bench.runner.running.settle(bench.ledger.release)
    if fate is Next.AGAIN:
        assert bench.deliver(row, Step.PREPARE, 1) is Next.STOP
    assert bench.view().code == "corrupt_image"
    assert [event["type"] for event in bench.events()] == ["job.failed"]


def test_a_release_whose_answer_is_lost_keeps_the_message(bench: Bench) -> None:
    bench.instead[Step.PREPARE] = raising(StorageUnavailable("The store is away."), TRIES)
    row = bench.submit()
    bench.ledger.failures = [("release", True)]
    assert bench.deliver(row, Step.PREPARE) is Next.AGAIN
    assert bench.step(Step.PREPARE).attempt == 0
    assert bench.deliver(row, Step.PREPARE, 1) is Next.HAND_ON
