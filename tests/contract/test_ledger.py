"""One suite for the ledger, over SQLite and Postgres."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from packshot.contract import Event, EventType, Image, Job, Step
from packshot.errors import Conflict, CorruptImage, Fenced, NotFound
from packshot.identity import uuid7
from packshot.store.audit import Audit
from packshot.store.ledger import Artifact, Known, Ledger, Outcome, Settlement, Ticket, Verdict
from packshot.store.outbox import Outbox
from packshot.store.people import People
from packshot.store.persons import Role
from packshot.store.tables import JobStatus
from packshot.store.views import Views
from tests.contract.conftest import LEASE
from tests.support.review_bench import HASHER, PASSWORD, Hand

JOB = Job(version=1, source="tests", job_id="one", image=Image(uri="s3://in/1.jpg"), sku="A1")


def events(engine: Engine) -> list[dict[str, Any]]:
    """Relay what waits and return it."""
    out: list[dict[str, Any]] = []
    Outbox(engine).relay(lambda _kind, event: out.append(event))
    return out


def through(ledger: Ledger, row: UUID, *steps: Step) -> None:
    for step in steps:
        ledger.commit(ledger.begin(row, step, worker="w"), Outcome({"step": step}))


def settlement(status: JobStatus = JobStatus.ACCEPTED) -> Settlement:
    return Settlement(status, {"answer": 42}, (), 0.9, None, {"status": status})


def test_a_new_job_starts_and_a_repeated_one_is_recognised(ledger: Ledger) -> None:
    first = ledger.submit(JOB)
    again = ledger.submit(JOB)
    assert (first.created, first.start) == (True, True)
    assert (again.id, again.created, again.start) == (first.id, False, True)
    ledger.begin(first.id, Step.PREPARE, worker="w")
    assert ledger.submit(JOB).start is False


def test_the_same_name_with_other_content_is_a_conflict(ledger: Ledger) -> None:
    ledger.submit(JOB)
    with pytest.raises(Conflict, match="tests/one"):
        ledger.submit(JOB.model_copy(update={"sku": "B2"}))


def test_another_trace_is_the_same_job(ledger: Ledger) -> None:
    first = ledger.submit(JOB)
    assert ledger.submit(JOB.model_copy(update={"traceparent": "00-1"})).id == first.id


def test_intakes_that_race_for_one_message_make_one_job(ledger: Ledger) -> None:
    start = threading.Barrier(8)

    def submit(_: int) -> UUID:
        start.wait()
        return ledger.submit(JOB).id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(submit, range(8)))) == 1


def test_begin_gives_the_step_what_came_before(ledger: Ledger) -> None:
    row = ledger.submit(JOB).id
    through(ledger, row, Step.PREPARE)
    ticket = ledger.begin(row, Step.OCR, worker="w")
    assert (ticket.verdict, ticket.attempt, ticket.job) == (Verdict.RUN, 1, JOB)
    assert ticket.results == {Step.PREPARE: {"step": "prepare"}}


def test_a_done_step_is_handed_on_until_the_next_one_has_begun(ledger: Ledger) -> None:
    row = ledger.submit(JOB).id
    through(ledger, row, Step.PREPARE)
    assert ledger.begin(row, Step.PREPARE, worker="w").verdict is Verdict.HAND_ON
    ledger.begin(row, Step.OCR, worker="w")
    assert ledger.begin(row, Step.PREPARE, worker="w").verdict is Verdict.DROP


def test_a_step_whose_predecessor_is_not_done_is_dropped(ledger: Ledger) -> None:
    row = ledger.submit(JOB).id
    assert ledger.begin(row, Step.OCR, worker="w").verdict is Verdict.DROP


def test_a_step_under_a_living_lease_waits(ledger: Ledger, clock: Hand) -> None:
    row = ledger.submit(JOB).id
    held = ledger.begin(row, Step.PREPARE, worker="holder")
    for _ in range(5):
        clock.now += timedelta(seconds=40)
        assert ledger.renew([held]) == 1
        assert ledger.renew([]) == 0
        assert ledger.begin(row, Step.PREPARE, worker="other").verdict is Verdict.WAIT


def test_a_suspect_is_opened_only_for_a_process_of_its_own(ledger: Ledger, clock: Hand) -> None:
    row = ledger.submit(JOB).id
    dead = ledger.begin(row, Step.PREPARE, worker="holder")
    clock.now += LEASE
    assert ledger.begin(row, Step.PREPARE, worker="other").verdict is Verdict.ALONE
    taken = ledger.begin(row, Step.PREPARE, worker="other", alone=True)
    assert (taken.verdict, taken.attempt) == (Verdict.RUN, 2)
    assert ledger.renew([dead]) == 0
    ledger.commit(taken, Outcome({}))
    assert ledger.begin(row, Step.OCR, worker="other").verdict is Verdict.RUN


def test_an_abandoned_lease_is_taken_at_once(ledger: Ledger) -> None:
    row = ledger.submit(JOB).id
    ledger.begin(row, Step.PREPARE, worker="gone")
    assert ledger.abandon("gone") == 1
    assert ledger.begin(row, Step.PREPARE, worker="w", alone=True).verdict is Verdict.RUN


def test_only_the_latest_fence_may_commit(ledger: Ledger, clock: Hand) -> None:
    row = ledger.submit(JOB).id
    zombie = ledger.begin(row, Step.PREPARE, worker="old")
    clock.now += LEASE
    heir = ledger.begin(row, Step.PREPARE, worker="new", alone=True)
    with pytest.raises(Fenced):
        ledger.commit(zombie, Outcome({"from": "zombie"}))
    ledger.commit(heir, Outcome({"from": "heir"}))
    with pytest.raises(Fenced):
        ledger.commit(heir, Outcome({"from": "heir again"}))
    assert ledger.begin(row, Step.OCR, worker="w").results[Step.PREPARE] == {"from": "heir"}


def test_a_fence_holds_for_failures_and_releases_too(ledger: Ledger, clock: Hand) -> None:
    row = ledger.submit(JOB).id
    zombie = ledger.begin(row, Step.PREPARE, worker="old")
    clock.now += LEASE
    ledger.begin(row, Step.PREPARE, worker="new", alone=True)
    with pytest.raises(Fenced):
        ledger.fail(zombie, CorruptImage("late"))
    with pytest.raises(Fenced):
        ledger.release(zombie)


def test_too_many_unanswered_attempts_are_poison(
    ledger: Ledger, engine: Engine, clock: Hand
) -> None:
    row = ledger.submit(JOB).id
    for _ in range(3):
        assert ledger.begin(row, Step.PREPARE, worker="w", alone=True).verdict is Verdict.RUN
        clock.now += LEASE
    assert ledger.begin(row, Step.PREPARE, worker="w").verdict is Verdict.POISON
    assert ledger.begin(row, Step.PREPARE, worker="w").verdict is Verdict.DROP
    view = Views(engine).job("tests", "one")
    assert (view.status, view.code) == ("failed", "poison")
    (event,) = events(engine)
    assert (event["type"], event["data"]["code"]) == (EventType.FAILED, "poison")


def test_a_released_attempt_is_not_counted(ledger: Ledger) -> None:
    row = ledger.submit(JOB).id
    for _ in range(10):
        ticket = ledger.begin(row, Step.PREPARE, worker="w")
        assert (ticket.verdict, ticket.attempt) == (Verdict.RUN, 1)
        ledger.release(ticket)


def test_the_last_commit_settles_the_job_with_one_event(ledger: Ledger, engine: Engine) -> None:
    row = ledger.submit(JOB).id
    through(ledger, row, *JOB.chain[:-1])
    ticket = ledger.begin(row, Step.FINISH, worker="w")
    picture = Artifact("cutout", "outputs/a.png", "image/png", 10, "0" * 64)
    ledger.commit(ticket, Outcome({}, artifacts=(picture,), settlement=settlement()))
    view = Views(engine).job("tests", "one")
    assert (view.status, view.result) == ("accepted", {"answer": 42})
    assert [one.key for one in view.artifacts] == ["outputs/a.png"]
    (event,) = events(engine)
    assert event["type"] == "job.accepted"
    assert event["subject"] == "tests/one"
    assert event["data"]["sku"] == "A1"
    assert ledger.begin(row, Step.FINISH, worker="w").verdict is Verdict.DROP
    assert events(engine) == []


def test_a_job_for_review_waits_in_the_review_queue(ledger: Ledger, engine: Engine) -> None:
    row = ledger.submit(JOB).id
    through(ledger, row, *JOB.chain[:-1])
    ticket = ledger.begin(row, Step.FINISH, worker="w")
    ledger.commit(ticket, Outcome({}, settlement=settlement(JobStatus.REVIEW)))
    assert Views(engine).counts("tests") == {"review": 1}
    (event,) = events(engine)
    assert event["type"] == EventType.REVIEW_REQUESTED


def test_a_repeated_message_sends_the_last_event_again_under_its_id(
    ledger: Ledger, engine: Engine
) -> None:
    row = ledger.submit(JOB).id
    ledger.fail(ledger.begin(row, Step.PREPARE, worker="w"), CorruptImage("The file ends early."))
    (first,) = events(engine)
    assert ledger.submit(JOB).start is False
    (second,) = events(engine)
    assert first == second


def test_a_failure_names_step_code_and_sentence(ledger: Ledger, engine: Engine) -> None:
    row = ledger.submit(JOB).id
    ledger.fail(ledger.begin(row, Step.PREPARE, worker="w"), CorruptImage("The file ends early."))
    view = Views(engine).job("tests", "one")
    assert (view.code, view.message) == ("corrupt_image", "The file ends early.")
    assert view.steps[0].status == "failed"
    (event,) = events(engine)
    assert event["data"]["step"] == "prepare"
    assert ledger.begin(row, Step.PREPARE, worker="w").verdict is Verdict.DROP


def test_retry_reopens_the_first_unfinished_step(ledger: Ledger) -> None:
    row = ledger.submit(JOB).id
    through(ledger, row, Step.PREPARE)
    ledger.fail(ledger.begin(row, Step.OCR, worker="w"), CorruptImage("no"))
    assert ledger.retry("tests", "one") == (row, JOB, Step.OCR)
    assert ledger.begin(row, Step.OCR, worker="w").verdict is Verdict.RUN
    with pytest.raises(Conflict, match="running"):
        ledger.retry("tests", "one")


def test_a_cancelled_job_stops_and_its_running_step_may_not_commit(ledger: Ledger) -> None:
    row = ledger.submit(JOB).id
    ticket = ledger.begin(row, Step.PREPARE, worker="w")
    assert ledger.cancel("tests", "one") is True
    with pytest.raises(Fenced):
        ledger.commit(ticket, Outcome({}))
    assert ledger.begin(row, Step.PREPARE, worker="w").verdict is Verdict.DROP
    assert ledger.cancel("tests", "one") is False
    assert ledger.retry("tests", "one")[2] is Step.PREPARE


def test_the_audit_log_tells_who_retried_and_who_cancelled(ledger: Ledger, engine: Engine) -> None:
    lea = People(engine, hasher=HASHER).add("lea", "Lea", Role.LEAD, PASSWORD)
    row = ledger.submit(JOB).id
    assert ledger.cancel("tests", "one", by=lea) is True
    assert ledger.cancel("tests", "one", by=lea) is False, "and nothing is noted"
    ledger.retry("tests", "one")  # by command, where nobody is signed in
    entries, _ = Audit(engine).page(job=row)
    assert [(one.login, one.action, one.before, one.after) for one in entries] == [
        (
            "system",
            "retry",
            {"status": "cancelled", "code": None},
            {"status": "queued", "step": "prepare"},
        ),
        ("lea", "cancel", {"status": "queued"}, {"status": "cancelled"}),
    ]


def test_unfinished_jobs_are_found_at_their_first_open_step(ledger: Ledger) -> None:
    row = ledger.submit(JOB).id
    other = ledger.submit(JOB.model_copy(update={"job_id": "two"})).id
    through(ledger, row, Step.PREPARE, Step.OCR)
    found = {one: step for one, _job, step in ledger.unfinished("tests")}
    assert found == {row: Step.RECOGNITION, other: Step.PREPARE}
    assert ledger.unfinished("nobody") == []


def test_equal_input_is_known(ledger: Ledger) -> None:
    row = ledger.submit(JOB).id
    ticket = ledger.begin(row, Step.PREPARE, worker="w")
    matte = Artifact("matte", "work/m.png", "image/png", 3, "1" * 64)
    assert ledger.reusable(Step.PREPARE, "k") is None
    ledger.commit(ticket, Outcome({"a": 1}, 0.5, (matte,), input_key="k"))
    assert ledger.reusable(Step.PREPARE, "k") == Known({"a": 1}, 0.5, (matte,))
    assert ledger.reusable(Step.OCR, "k") is None


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda led: led.begin(uuid4(), Step.OCR, worker="w"), id="begin"),
        pytest.param(lambda led: led.retry("tests", "nobody"), id="retry"),
        pytest.param(lambda led: led.cancel("tests", "nobody"), id="cancel"),
    ],
)
def test_an_unknown_job_is_named_so(ledger: Ledger, call: Any) -> None:
    with pytest.raises(NotFound):
        call(ledger)


def test_a_refused_message_leaves_an_event(ledger: Ledger, engine: Engine, clock: Hand) -> None:
    event = Event.of(
        EventType.REJECTED, event_id=str(uuid7()), job=None, at=clock(), data={"code": "x"}
    )
    ledger.reject(event)
    (out,) = events(engine)
    assert (out["id"], out["type"]) == (event.id, "job.rejected")


def test_a_relay_that_fails_leaves_the_rest_for_the_next(ledger: Ledger, engine: Engine) -> None:
    for name in ("a", "b", "c"):
        row = ledger.submit(JOB.model_copy(update={"job_id": name})).id
        ledger.fail(ledger.begin(row, Step.PREPARE, worker="w"), CorruptImage(name))
    sent: list[str] = []

    def publish(_kind: str, event: dict[str, Any]) -> None:
        if len(sent) == 1:
            raise ConnectionResetError
        sent.append(event["data"]["message"])

    outbox = Outbox(engine)
    with pytest.raises(ConnectionResetError):
        outbox.relay(publish)
    assert (sent, outbox.waiting()) == (["a"], 2)
    assert [event["data"]["message"] for event in events(engine)] == ["b", "c"]


def test_relays_that_race_publish_each_event_once(ledger: Ledger, engine: Engine) -> None:
    for number in range(40):
        row = ledger.submit(JOB.model_copy(update={"job_id": str(number)})).id
        ledger.fail(ledger.begin(row, Step.PREPARE, worker="w"), CorruptImage("no"))
    sent: list[str] = []
    lock = threading.Lock()
    start = threading.Barrier(4)

    def publish(_kind: str, event: dict[str, Any]) -> None:
        with lock:
            sent.append(event["id"])

    def relay(_: int) -> int:
        start.wait()
        return Outbox(engine).relay(publish)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(relay, range(4)))
    events_left = Outbox(engine).waiting()
    assert (len(sent), len(set(sent)), events_left) == (40, 40, 0)


def test_the_lock_of_a_job_lets_one_of_two_commits_win(ledger: Ledger) -> None:
    row = ledger.submit(JOB).id
    ticket = ledger.begin(row, Step.PREPARE, worker="w")
    start = threading.Barrier(4)

    def commit(number: int) -> int | None:
        start.wait()
        try:
            ledger.commit(ticket, Outcome({"by": number}))
        except Fenced:
            return None
        return number

    with ThreadPoolExecutor(4) as pool:
        winners = [one for one in pool.map(commit, range(4)) if one is not None]
    assert len(winners) == 1
    assert isinstance(ticket, Ticket)
    assert ledger.begin(row, Step.OCR, worker="w").results[Step.PREPARE] == {"by": winners[0]}
