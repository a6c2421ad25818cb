"""What the review tells, over SQLite and Postgres."""

import math
import random
from datetime import timedelta

import pytest

from packshot.contract import Lane
from packshot.store.insight import Hour, Insight, Oldest, wilson
from packshot.store.persons import Person
from packshot.store.review_items import (
    CorrectedLine,
    Correction,
    Decision,
    RejectReason,
    Restart,
    Ruling,
)
from packshot.store.tables import JobStatus
from tests.support.review_bench import ReviewBench

APPROVE = Ruling(decision=Decision.APPROVED, seconds=4.0)
REJECT = Ruling(decision=Decision.REJECTED, reason=RejectReason.OTHER)
LINE = CorrectedLine(polygon=((0, 0), (1, 0), (1, 1), (0, 1)), text="right")
CORRECT = Ruling(decision=Decision.CORRECTED, correction=Correction(text=(LINE,)))


@pytest.fixture
def insight(bench: ReviewBench) -> Insight:
    return Insight(bench.engine, clock=bench.clock)


def decide(bench: ReviewBench, by: Person, ruling: Ruling = APPROVE, **wish: object) -> None:
    hold = bench.held(by, bench.queued(**wish))  # type: ignore[arg-type]
    decided = bench.reviews.decide(hold, ruling, by)
    if decided.restart:
        finish(bench, decided.restart)


def finish(bench: ReviewBench, it: Restart) -> None:
    """What the stages do after a correction, as far as the ledger sees it."""
    from packshot.contract import Step
    from packshot.store.tickets import Outcome, Settlement

    for step in it.job.chain[it.job.chain.index(it.step) : -1]:
        bench.ledger.commit(bench.ledger.begin(it.id, step, worker="w"), Outcome({}))
    result = bench.views.by_id(it.id).result or {}
    end = Settlement(JobStatus.ACCEPTED, result, (), 1.0, None, {}, reviewed=True)
    ticket = bench.ledger.begin(it.id, Step.FINISH, worker="w")
    bench.ledger.commit(ticket, Outcome({}, settlement=end))


def test_decisions_per_hour_and_person(bench: ReviewBench, insight: Insight) -> None:
    ann, bob = bench.person("ann"), bench.person("bob")
    began = bench.clock.now
    decide(bench, ann)
    decide(bench, ann)
    bench.clock.now += timedelta(minutes=59)
    decide(bench, bob, REJECT)
    bench.clock.now += timedelta(minutes=1)
    decide(bench, ann)
    assert set(insight.throughput(began)) == {
        Hour(began, ann.id, 2, 8.0),
        Hour(began, bob.id, 1, None),
        Hour(began + timedelta(hours=1), ann.id, 1, 4.0),
    }
    later = insight.throughput(began + timedelta(minutes=60))
    assert [hour.decisions for hour in later] == [1]


def test_the_oldest_of_each_lane_held_or_not(bench: ReviewBench, insight: Insight) -> None:
    assert insight.oldest() == (Oldest(Lane.LIVE, None), Oldest(Lane.BULK, None))
    began = bench.clock.now
    bench.held(bench.person(), bench.queued())
    bench.clock.now += timedelta(hours=1)
    bench.queued(lane=Lane.LIVE)
    bench.queued()
    assert insight.oldest() == (
        Oldest(Lane.LIVE, began + timedelta(hours=1)), Oldest(Lane.BULK, began)
    )  # fmt: skip


def test_how_often_a_field_is_corrected(bench: ReviewBench, insight: Insight) -> None:
    ann, began = bench.person(), bench.clock.now
    for _ in range(3):
        decide(bench, ann)
    decide(bench, ann, CORRECT)
    decide(bench, ann, REJECT)
    rates = {(one.kind, one.name): (one.wrong, one.total) for one in insight.corrections(began)}
    assert rates == {
        ("field", "text"): (1, 4),
        ("field", "category"): (0, 4),
        ("field", "brand"): (0, 4),
        ("field", "model"): (0, 4),
        ("model", "text: reader-1"): (1, 4),
        ("model", "category: classifier-1"): (0, 4),
        ("model", "brand: classifier-1"): (0, 4),
        ("model", "model: classifier-1"): (0, 4),
        ("category", "thing 504"): (0, 4),
    }
    text = next(one for one in insight.corrections(began) if one.name == "text")
    assert text.rate == 0.25
    assert (text.low, text.high) == wilson(1, 4)
    assert insight.corrections(began + timedelta(seconds=1)) == ()


def test_nothing_is_known_before_anything_was_audited(bench: ReviewBench, insight: Insight) -> None:
    bench.queued(status=JobStatus.ACCEPTED, audit=0.1, codes=())
    estimate = insight.accepted_but_wrong(bench.clock.now)
    assert (estimate.rate, estimate.low, estimate.high) == (None, 0.0, 1.0)
    assert (estimate.decided, estimate.drawn, estimate.population) == (0, 0, 1)


def test_an_audited_job_stands_for_as_many_as_its_chance_says(
    bench: ReviewBench, insight: Insight
) -> None:
    """One wrong of two at 50 %, none wrong of one at 10 %: 2 of 2 + 2 + 10 jobs."""
    ann, began = bench.person(), bench.clock.now
    decide(bench, ann, REJECT, audit=0.5, codes=("audit",))
    decide(bench, ann, audit=0.5, codes=("audit",))
    decide(bench, ann, audit=0.1, codes=("audit",))
    bench.queued(audit=0.1, codes=("audit",))
    for _ in range(6):
        bench.queued(status=JobStatus.ACCEPTED, audit=0.1, codes=())
    decide(bench, ann, REJECT)  # was never to be accepted: no part of the estimate
    estimate = insight.accepted_but_wrong(began)
    assert estimate.rate == pytest.approx(2 / 14)
    assert (estimate.wrong, estimate.decided, estimate.drawn, estimate.population) == (1, 3, 4, 10)
    effective = 14**2 / (2**2 + 2**2 + 10**2)
    assert (estimate.low, estimate.high) == pytest.approx(wilson(2 / 14 * effective, effective))
    later = insight.accepted_but_wrong(began + timedelta(seconds=1))
    assert later.population == 0


@pytest.mark.parametrize(
    ("wrong", "total", "low", "high"),
    [
        pytest.param(0, 10, 0.0, 0.2775, id="none of ten"),
        pytest.param(10, 10, 0.7225, 1.0, id="all of ten"),
        pytest.param(8, 80, 0.0515, 0.1851, id="a tenth"),
        pytest.param(0, 0, 0.0, 1.0, id="nothing"),
    ],
)
def test_wilson(wrong: int, total: int, low: float, high: float) -> None:
    assert wilson(wrong, total) == pytest.approx((low, high), abs=5e-5)


def test_the_interval_of_the_estimate_covers_the_truth() -> None:
    """Poisson sampling at two rates, 5 % wrong: 95 % of the intervals have to hold it, nearly."""
    chance, truth, held, rounds = random.Random(7), 0.05, 0, 400
    for _ in range(rounds):
        sample = []
        for number in range(4000):
            probability = 0.2 if number % 4 == 0 else 0.05
            if chance.random() < probability:
                sample.append((1 / probability, chance.random() < truth))
        weight = math.fsum(w for w, _ in sample)
        rate = math.fsum(w for w, wrong in sample if wrong) / weight
        effective = weight**2 / math.fsum(w * w for w, _ in sample)
        low, high = wilson(rate * effective, effective)
        held += low <= truth <= high
    assert 0.92 <= held / rounds <= 0.985
