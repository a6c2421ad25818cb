"""A decision is written once, with the job's new state, its event and its entry in the log."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from packshot.contract import Event
from packshot.errors import AlreadyDecided, ClaimLost, InvalidDecision, PackshotError
from packshot.events import ReviewedData, data_of
from packshot.store.audit import Audit
from packshot.store.persons import Role
from packshot.store.review_items import (
    Correction,
    Decision,
    Filters,
    PickedCategory,
    RejectReason,
    ReviewStatus,
    Ruling,
)
from packshot.store.tables import AuditRow, JobStatus
from tests.support.review_bench import ReviewBench

APPROVE = Ruling(decision=Decision.APPROVED)
REJECT = Ruling(
    decision=Decision.REJECTED, reason=RejectReason.NOT_A_PRODUCT, note="A cat.", seconds=2.5
)
SEND_BACK = Ruling(decision=Decision.SENT_BACK, reason=RejectReason.CROPPED)
TEA = PickedCategory(id=9, en="tea", zh="茶", product=True)


@pytest.mark.parametrize(
    ("ruling", "status"),
    [
        pytest.param(APPROVE, "accepted", id="approve"),
        pytest.param(REJECT, "rejected", id="reject"),
        pytest.param(SEND_BACK, "rejected", id="send back"),
    ],
)
def test_a_decision_ends_the_job_with_one_event(
    bench: ReviewBench, ruling: Ruling, status: str
) -> None:
    ann = bench.person()
    row = bench.queued("one")
    bench.events()
    decided = bench.reviews.decide(bench.held(ann, row), ruling, ann)
    assert decided.restart is None
    assert (decided.item.status, decided.item.decided_by) == (ReviewStatus.DECIDED, ann.id)
    view = bench.views.by_id(row)
    assert (view.status, view.finished_at) == (status, bench.clock.now)
    assert view.result is not None
    assert view.result["route"] == status
    assert view.result["provenance"]["human"] == []
    assert view.result["provenance"]["review"] == {
        "id": str(decided.item.id), "decision": ruling.decision, "reviewer": str(ann.id)
    }  # fmt: skip
    (event,) = bench.events()
    assert event["type"] == "job.reviewed"
    data = data_of(Event.model_validate(event))
    assert isinstance(data, ReviewedData)
    assert (data.status, data.decision, data.reviewer) == (status, ruling.decision, ann.id)
    assert (data.reason, data.note) == (ruling.reason, ruling.note)
    assert (data.text, data.brand) == (("大白兔奶糖 227g",), "White Rabbit")
    assert "ann" not in str(event).lower().replace(str(ann.id), "")


def test_the_log_says_who_decided_what(bench: ReviewBench) -> None:
    ann = bench.person()
    row = bench.queued()
    hold = bench.held(ann, row)
    bench.reviews.decide(hold, REJECT, ann)
    (entry,), after = Audit(bench.engine).page(subject=f"review:{hold.review}")
    assert (entry.login, entry.person, entry.action, entry.job) == ("ann", ann.id, "rejected", row)
    assert (entry.before, after) == ({"status": "review"}, None)
    assert entry.after is not None
    assert (entry.after["reason"], entry.after["note"]) == ("not_a_product", "A cat.")


def test_the_log_only_grows(bench: ReviewBench) -> None:
    ann = bench.person()
    bench.reviews.decide(bench.held(ann), APPROVE, ann)
    for statement in (delete(AuditRow), update(AuditRow).values(login="nobody")):
        with (
            pytest.raises(DBAPIError, match="only grows"),
            bench.engine.begin() as connection,
        ):
            connection.execute(statement)
    assert len(Audit(bench.engine).page()[0]) == 2


def test_a_decision_is_written_once(bench: ReviewBench) -> None:
    ann, bob = bench.person("ann"), bench.person("bob")
    hold = bench.held(ann)
    bench.reviews.decide(hold, APPROVE, ann)
    with pytest.raises(AlreadyDecided):
        bench.reviews.decide(hold, REJECT, ann)
    with pytest.raises(AlreadyDecided):
        bench.reviews.claim(hold.review, bob)
    assert [event["type"] for event in bench.events()] == ["job.review_requested", "job.reviewed"]


def test_a_decision_whose_answer_was_lost_may_be_sent_again(bench: ReviewBench) -> None:
    ann = bench.person()
    hold = bench.held(ann)
    first = bench.reviews.decide(hold, APPROVE, ann)
    assert bench.reviews.decide(hold, APPROVE, ann) == first
    assert len(bench.events()) == 2


def test_of_two_decisions_at_once_one_is_written(bench: ReviewBench) -> None:
    ann = bench.person()
    hold = bench.held(ann)
    start = threading.Barrier(8)

    def decide(number: int) -> Decision | None:
        start.wait()
        try:
            ruling = (APPROVE, REJECT)[number % 2]
            bench.reviews.decide(hold, ruling, ann)
        except AlreadyDecided:
            return None
        return ruling.decision

    with ThreadPoolExecutor(8) as pool:
        said = {one for one in pool.map(decide, range(8)) if one}
    decision = bench.reviews.get(hold.review).decision
    assert decision is not None
    assert said == {decision["decision"]}
    assert len(bench.events()) == 2


def test_nobody_decides_what_another_one_holds(bench: ReviewBench) -> None:
    ann, bob = bench.person("ann"), bench.person("bob")
    hold = bench.held(ann)
    with pytest.raises(ClaimLost):
        bench.reviews.decide(hold, APPROVE, bob)


@pytest.mark.parametrize(
    "ruling",
    [
        pytest.param(Ruling(decision=Decision.CORRECTED), id="corrected nothing"),
        pytest.param(
            Ruling(decision=Decision.CORRECTED, correction=Correction()), id="corrected no field"
        ),
        pytest.param(
            Ruling(decision=Decision.APPROVED, correction=Correction(brand="x")),
            id="approved and corrected",
        ),
        pytest.param(Ruling(decision=Decision.REJECTED), id="rejected without a reason"),
        pytest.param(
            Ruling(decision=Decision.APPROVED, reason=RejectReason.OTHER), id="a reason to approve"
        ),
        pytest.param(
            Ruling(decision=Decision.CORRECTED, correction=Correction(matte="work/x.png")),
            id="the job has no matte",
        ),
        pytest.param(
            Ruling(decision=Decision.CORRECTED, correction=Correction(category=TEA)),
            id="the job has no category",
        ),
        pytest.param(
            Ruling(decision=Decision.CORRECTED, correction=Correction(text=None)),
            id="no text is an empty list",
        ),
    ],
)
def test_a_decision_that_contradicts_itself_changes_nothing(
    bench: ReviewBench, ruling: Ruling
) -> None:
    ann = bench.person()
    row = bench.queued()
    hold = bench.held(ann, row)
    with pytest.raises(InvalidDecision):
        bench.reviews.decide(hold, ruling, ann)
    assert bench.views.by_id(row).status == JobStatus.REVIEW
    assert bench.reviews.decide(hold, APPROVE, ann)


def test_many_are_accepted_at_once_as_they_were_seen(bench: ReviewBench) -> None:
    ann, bob = bench.person("ann"), bench.person("bob")
    for number in range(5):
        bench.queued(str(number))
    audited = bench.queued("audited", codes=("audit",))
    seen = [(item.id, item.version) for item in bench.reviews.page().items]
    names = {item.id: item.job_id for item in bench.reviews.page().items}
    held = bench.held(bob, bench.views.job("tests", "1").id)
    bench.reviews.release(bench.held(bob, bench.views.job("tests", "2").id))
    gone = bench.held(ann, bench.views.job("tests", "3").id)
    bench.reviews.decide(gone, REJECT, ann)
    bench.events()
    done = bench.reviews.accept_all(seen, ann)
    assert {names[one] for one in done.accepted} == {"0", "4"}
    assert {names[one]: code for one, code in done.refused.items()} == {
        "1": "claim_lost",
        "2": "claim_lost",
        "3": "already_decided",
        "audited": "not_allowed",
    }
    assert len(bench.events()) == 2
    assert bench.views.by_id(audited).status == "review"
    assert bench.reviews.get(held.review).holder == bob.id
    assert {bool(item.decision and item.decision["bulk"]) for item in map(
        bench.reviews.get, done.accepted)} == {True}  # fmt: skip


def test_a_policy_may_leave_bulk_to_leads(bench: ReviewBench) -> None:
    row = bench.queued()
    seen = [(bench.review_of(row), 0)]
    with pytest.raises(PackshotError, match="'lead'"):
        bench.reviews.accept_all(seen, bench.person(), least=Role.LEAD)
    assert bench.reviews.accept_all(seen, bench.person("lea", Role.LEAD), least=Role.LEAD).accepted


def test_a_repeated_message_of_a_reviewed_job_sends_that_event_again(bench: ReviewBench) -> None:
    ann = bench.person()
    row = bench.queued("one")
    bench.reviews.decide(bench.held(ann, row), APPROVE, ann)
    *_, last = bench.events()
    request = bench.views.by_id(row).request
    assert bench.ledger.submit(request).start is False
    assert bench.events() == [last]


def test_a_decided_item_leaves_the_queue_and_its_filters(bench: ReviewBench) -> None:
    ann = bench.person()
    bench.reviews.decide(bench.held(ann), APPROVE, ann)
    for filters in (Filters(), Filters(reason="text_unsure"), Filters(with_held=True)):
        assert bench.reviews.page(filters).items == ()
    found: Any = bench.reviews.facets()
    assert (found.open, found.claimed, found.reasons) == (0, 0, ())
