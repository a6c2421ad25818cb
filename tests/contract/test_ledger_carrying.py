"""A job that a worker carries on under one message: `begin` with a carrier, and `advance`."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, update

from packshot.contract import Step
from packshot.errors import Fenced
from packshot.store.ledger import Ledger, Outcome, Verdict
from packshot.store.tables import StepRow, StepStatus
from packshot.store.views import Views
from tests.contract.conftest import LEASE
from tests.contract.test_ledger import JOB, through
from tests.support.review_bench import Hand


@pytest.mark.parametrize(
    ("carriers", "message", "onward"),
    [
        pytest.param("ppp", Step.PREPARE, Step.MATTING, id="its own way so far"),
        pytest.param("pooo", Step.PREPARE, None, id="handed on, and another message went on"),
        pytest.param("pooo", Step.OCR, Step.FINISH, id="that other message"),
        pytest.param("ppo", Step.PREPARE, None, id="another message took it over"),
        pytest.param("-", Step.PREPARE, Step.OCR, id="begun by the release before, not gone on"),
        pytest.param("--", Step.PREPARE, None, id="begun by the release before, gone on"),
        pytest.param("p-", Step.PREPARE, None, id="taken over by the release before"),
    ],
)
def test_a_message_finds_the_job_where_it_was_carried(
    ledger: Ledger,
    engine: Engine,
    clock: Hand,
    carriers: str,
    message: Step,
    onward: Step | None,
) -> None:
    names = {"p": Step.PREPARE, "o": Step.OCR, "-": None}
    row = ledger.submit(JOB).id
    for step, letter in zip(JOB.chain, carriers, strict=False):
        clock.now += timedelta(seconds=1)
        ticket = ledger.begin(row, step, worker="w", carrier=names[letter])
        ledger.commit(ticket, Outcome({}))
        if names[letter] is None:
            with engine.begin() as db:
                db.execute(update(StepRow).where(StepRow.name == step).values(carrier=None))
    found = ledger.begin(row, message, worker="w")
    assert found.verdict is (Verdict.HAND_ON if onward else Verdict.DROP)
    assert found.onward is onward


@pytest.mark.parametrize(
    ("carrier", "onward"), [(Step.PREPARE, Step.OCR), (Step.OCR, None), (None, None)]
)
def test_a_message_finds_the_step_that_died_with_its_worker(
    ledger: Ledger, clock: Hand, carrier: Step | None, onward: Step | None
) -> None:
    row = ledger.submit(JOB).id
    through(ledger, row, Step.PREPARE)
    ledger.begin(row, Step.OCR, worker="dies", carrier=carrier)
    found = ledger.begin(row, Step.PREPARE, worker="w")
    assert (found.verdict is Verdict.HAND_ON, found.onward) == (onward is not None, onward)
    again = partial(ledger.begin, row, Step.OCR, worker="w", carrier=Step.PREPARE)
    assert again().verdict is Verdict.WAIT
    clock.now += LEASE
    assert again().verdict is Verdict.ALONE
    assert again(alone=True).verdict is Verdict.RUN


def test_a_message_of_a_cancelled_job_goes_nowhere(ledger: Ledger) -> None:
    row = ledger.submit(JOB).id
    through(ledger, row, Step.PREPARE)
    ledger.cancel("tests", "one")
    found = ledger.begin(row, Step.PREPARE, worker="w")
    assert (found.verdict, found.onward) == (Verdict.DROP, None)


@pytest.mark.parametrize(
    ("worker", "reclaim", "verdict"),
    [("w", True, Verdict.RUN), ("w", False, Verdict.WAIT), ("other", True, Verdict.WAIT)],
)
def test_a_begin_without_an_answer_is_taken_up_again_by_who_made_it(
    ledger: Ledger, worker: str, reclaim: bool, verdict: Verdict
) -> None:
    row = ledger.submit(JOB).id
    unheard = ledger.begin(row, Step.PREPARE, worker="w")
    found = ledger.begin(row, Step.PREPARE, worker=worker, reclaim=reclaim)
    assert found.verdict is verdict
    if verdict is Verdict.RUN:
        assert (found.attempt, found.fence) == (1, 2)
        with pytest.raises(Fenced):
            ledger.commit(unheard, Outcome({}))


def test_advance_is_a_commit_and_a_begin(ledger: Ledger, clock: Hand) -> None:
    rows = [ledger.submit(JOB.model_copy(update={"job_id": name})).id for name in ("1", "2")]
    one, other = (ledger.begin(row, Step.PREPARE, worker="w") for row in rows)
    clock.now += timedelta(seconds=5)
    short = ledger.advance(one, Outcome({"step": "prepare"}))
    ledger.commit(other, Outcome({"step": "prepare"}))
    long = ledger.begin(rows[1], Step.OCR, worker="w", carrier=Step.PREPARE)
    assert short is not None
    assert replace(short, id=long.id, job=long.job) == long


def test_advance_is_fenced_as_commit_is(ledger: Ledger, clock: Hand) -> None:
    row = ledger.submit(JOB).id
    first = ledger.begin(row, Step.PREPARE, worker="w")
    second = ledger.advance(first, Outcome({}))
    assert second is not None
    with pytest.raises(Fenced):
        ledger.advance(first, Outcome({}))
    clock.now += LEASE
    assert ledger.begin(row, Step.OCR, worker="heir", alone=True).verdict is Verdict.RUN
    with pytest.raises(Fenced):
        ledger.advance(second, Outcome({}))


@pytest.mark.parametrize(
    "changed", [{"status": StepStatus.DONE}, {"attempt": 1}], ids=["it stands", "it is a suspect"]
)
def test_advance_leaves_to_begin_what_is_not_simply_next(
    ledger: Ledger, engine: Engine, changed: dict[str, Any]
) -> None:
    row = ledger.submit(JOB).id
    first = ledger.begin(row, Step.PREPARE, worker="w")
    with engine.begin() as db:
        db.execute(update(StepRow).where(StepRow.name == Step.OCR).values(**changed))
    assert ledger.advance(first, Outcome({})) is None
    assert Views(engine).by_id(row).steps[0].status == "done"
