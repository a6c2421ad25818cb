"""Jobs that stand still are found, whatever else waits; over SQLite and Postgres."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine

from packshot.contract import Image, Job, Lane, Step
from packshot.errors import CorruptImage
from packshot.store.ledger import Ledger, Outcome
from tests.support.review_bench import Hand

JOB = Job(version=1, source="tests", job_id="one", image=Image(uri="s3://in/1.jpg"), sku="A1")
LEASE = timedelta(minutes=1)


PATIENCE = timedelta(minutes=2)
NOTHING: frozenset[tuple[Step, Lane]] = frozenset()
PREPARE_DRAINED = frozenset({(Step.PREPARE, Lane.BULK)})


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def ledger(both: Engine, clock: Hand) -> Ledger:
    return Ledger(both, pipeline="test", lease=LEASE, clock=clock)


def job(name: str, lane: Lane = Lane.BULK) -> Job:
    return JOB.model_copy(update={"job_id": name, "lane": lane})


def through(ledger: Ledger, row: UUID, *steps: Step) -> None:
    for step in steps:
        ledger.commit(ledger.begin(row, step, worker="w"), Outcome({"step": step}))


def stands_still(ledger: Ledger, drained: frozenset[tuple[Step, Lane]] = NOTHING) -> list[Step]:
    return [step for _row, _job, step in ledger.standing_still(PATIENCE, drained)]


def test_a_job_whose_holder_died_stands_still(ledger: Ledger, clock: Hand) -> None:
    row = ledger.submit(JOB).id
    through(ledger, row, Step.PREPARE)
    ledger.begin(row, Step.OCR, worker="dead")
    clock.now += LEASE + PATIENCE
    assert stands_still(ledger) == []
    clock.now += timedelta(seconds=1)
    assert stands_still(ledger) == [Step.OCR]


def test_a_job_that_waits_in_a_backlog_does_not_stand_still(ledger: Ledger, clock: Hand) -> None:
    ledger.submit(JOB)
    clock.now += timedelta(hours=5)
    assert stands_still(ledger) == []


def test_a_job_whose_queue_is_empty_stands_still(ledger: Ledger, clock: Hand) -> None:
    ledger.submit(JOB)
    assert stands_still(ledger, PREPARE_DRAINED) == []
    clock.now += PATIENCE + timedelta(seconds=1)
    assert stands_still(ledger, PREPARE_DRAINED) == [Step.PREPARE]


def test_a_job_that_a_later_one_has_passed_stands_still(ledger: Ledger, clock: Hand) -> None:
    ledger.submit(JOB)
    clock.now += timedelta(minutes=10)
    later = ledger.submit(job("later")).id
    assert stands_still(ledger) == []
    ledger.begin(later, Step.PREPARE, worker="w")
    assert stands_still(ledger) == [Step.PREPARE]


def test_a_job_is_restarted_once_in_a_while_whoever_asks(ledger: Ledger, clock: Hand) -> None:
    for number in range(20):
        ledger.submit(job(str(number)))
    clock.now += PATIENCE + timedelta(seconds=1)
    start = threading.Barrier(4)

    def look(_: int) -> int:
        start.wait()
        return len(stands_still(ledger, PREPARE_DRAINED))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(look, range(4))) == 20
    assert stands_still(ledger, PREPARE_DRAINED) == []
    clock.now += PATIENCE + timedelta(seconds=1)
    assert len(stands_still(ledger, PREPARE_DRAINED)) == 20


def test_a_settled_job_never_stands_still(ledger: Ledger, clock: Hand) -> None:
    row = ledger.submit(JOB).id
    ledger.fail(ledger.begin(row, Step.PREPARE, worker="w"), CorruptImage("no"))
    clock.now += timedelta(days=1)
    assert stands_still(ledger, PREPARE_DRAINED) == []


def test_a_backlog_hides_no_forgotten_job(
    ledger: Ledger, clock: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many older jobs wait in the other lane, and many younger ones in its own."""
    heads = 20
    monkeypatch.setattr("packshot.store.heads.HEADS", heads)
    for number in range(heads + 1):
        ledger.submit(job(f"older {number}"))
    clock.now += timedelta(seconds=1)
    forgotten = ledger.submit(job("forgotten", Lane.LIVE)).id
    through(ledger, forgotten, Step.PREPARE)
    clock.now += timedelta(seconds=1)
    for number in range(heads + 1):
        ledger.submit(job(f"younger {number}", Lane.LIVE))
    clock.now += PATIENCE + timedelta(seconds=1)
    ((row, _job, step),) = ledger.standing_still(PATIENCE, {(Step.OCR, Lane.LIVE)})
    assert (row, step) == (forgotten, Step.OCR)


def test_no_more_are_restarted_at_once_than_was_said(ledger: Ledger, clock: Hand) -> None:
    for number in range(5):
        ledger.submit(job(str(number)))
        clock.now += timedelta(seconds=1)
    clock.now += PATIENCE
    rounds = [ledger.standing_still(PATIENCE, PREPARE_DRAINED, limit=2) for _ in range(4)]
    names = [[found.job_id for _row, found, _step in each] for each in rounds]
    assert names == [["0", "1"], ["2", "3"], ["4"], []]
