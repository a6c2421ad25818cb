"""The runner over a real ledger, with stages of one line: what becomes of each delivery."""

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel

from models.fake import fake_models
from packshot.contract import Image, Job, Step
from packshot.errors import (
    ConfigurationError,
    CorruptImage,
    DatabaseUnavailable,
    Fenced,
    ModelMissing,
    OutOfMemory,
    PackshotError,
    SourceUnavailable,
    StorageUnavailable,
)
from packshot.fetch import Fetcher
from packshot.fetch import Policy as FetchPolicy
from packshot.meter import spent
from packshot.routing import Policy
from packshot.settings import Settings
from packshot.store.blobs.memory import MemoryBlobs
from packshot.store.engine import open_engine
from packshot.store.ledger import Artifact, Ledger, Outcome, Settlement, Ticket, Verdict
from packshot.store.outbox import Outbox
from packshot.store.tables import JobStatus
from packshot.store.views import JobView, Views
from tasks.backoff import TRIES
from tasks.runner import SOURCE_PATIENCE, Next, Runner
from tasks.services import Services
from tasks.stage import Found, Stage, Work
from workers.database import upgrade

JOB = Job(version=1, source="tests", job_id="1", image=Image(uri="s3://a/b"), steps=(Step.OCR,))
LEASE = timedelta(minutes=1)


class Note(BaseModel):
    """What the stages here find out."""

    text: str


class Flaky(Ledger):
    """A real ledger on a line that breaks: before a write is done, or before its answer is back."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.now = datetime(2026, 11, 23, tzinfo=UTC)
        self._clock = lambda: self.now
        #: Failures to come, as (method, whether the write is done all the same).
        self.failures: list[tuple[str, bool]] = []

    def _break(self, method: str, write: Callable[[], None]) -> None:
        if self.failures and self.failures[0][0] == method:
            _, done = self.failures.pop(0)
            if done:
                write()
            raise DatabaseUnavailable("The line is cut.")
        write()

    def begin(self, job_id: UUID, step: Step, *, worker: str, alone: bool = False) -> Ticket:
        self._break("begin", lambda: None)
        return super().begin(job_id, step, worker=worker, alone=alone)

    def commit(self, ticket: Ticket, outcome: Outcome) -> None:
        self._break("commit", lambda: super(Flaky, self).commit(ticket, outcome))

    def release(self, ticket: Ticket, why: PackshotError | None = None) -> None:
        self._break("release", lambda: super(Flaky, self).release(ticket, why))

    def fail(self, ticket: Ticket, error: PackshotError) -> None:
        self._break("fail", lambda: super(Flaky, self).fail(ticket, error))


@dataclass
class Bench:
    """A runner, what it stands on, and what its stages do."""

    services: Services
    ledger: Flaky
    slept: list[float] = field(default_factory=list)
    seen: list[tuple[UUID, Step, Next]] = field(default_factory=list)
    ran: list[tuple[str, Step]] = field(default_factory=list)
    #: What a stage does instead of answering, by its step.
    instead: dict[Step, Callable[[Work], Found | None]] = field(default_factory=dict)
    keys: bool = False

    def __post_init__(self) -> None:
        self.runner = Runner(
            self.services,
            {step: self._stage(step) for step in Step},
            watch=lambda *event: self.seen.append(event),
            sleep=self.slept.append,
        )

    def _stage(self, step: Step) -> Stage:
        def run(work: Work) -> Found:
            self.ran.append((work.job.job_id, step))
            if step in self.instead and (found := self.instead[step](work)) is not None:
                return found
            end = settlement() if step is Step.FINISH else None
            return Found(Note(text=step), confidence=0.5, settlement=end)

        def key(work: Work) -> str:
            return work.input_key("same") if self.keys else work.input_key(work.job.job_id)

        return Stage(step, Note, run, key=key if step is Step.OCR else None)

    def submit(self, name: str = "1") -> UUID:
        return self.ledger.submit(JOB.model_copy(update={"job_id": name})).id

    def deliver(self, row: UUID, step: Step, handbacks: int = 0) -> Next:
        return self.runner.deliver(row, step, worker="w1", handbacks=handbacks)

    def view(self, name: str = "1") -> JobView:
        return self.services.views.job("tests", name)

    def step(self, step: Step, name: str = "1") -> Any:
        return next(one for one in self.view(name).steps if one.name == step)

    def events(self) -> list[dict[str, Any]]:
        out: list[dict[str, Any]] = []
        self.services.outbox.relay(lambda _kind, event: out.append(event))
        return out


def settlement() -> Settlement:
    return Settlement(JobStatus.ACCEPTED, {"ok": True}, (), 0.9, None, {"status": "accepted"})


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    upgrade(engine)
    ledger = Flaky(engine, pipeline="test", lease=LEASE, max_attempts=4)
    services = Services(
        settings=Settings.load(),
        ledger=ledger,
        views=Views(engine),
        outbox=Outbox(engine),
        blobs=MemoryBlobs(),
        fetcher=Fetcher(FetchPolicy()),
        models=fake_models(),
        policy=Policy(audit_rate=0.0),
        worker="w1",
    )
    yield Bench(services, ledger)
    engine.dispose()


def raising(error: Exception, times: int = 10**6) -> Callable[[Work], None]:
    """A stage that fails some times."""
    left = [times]

    def run(_: Work) -> None:
        if left[0]:
            left[0] -= 1
            raise error

    return run


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


def test_equal_input_is_computed_once(bench: Bench) -> None:
    bench.keys = True
    matte = Artifact("matte", "work/m.png", "image/png", 3, "1" * 64)
    bench.instead[Step.OCR] = lambda _: Found(Note(text="seen"), 0.7, (matte,))
    for name in ("1", "2"):
        row = bench.submit(name)
        assert bench.deliver(row, Step.PREPARE) is Next.HAND_ON
        assert bench.deliver(row, Step.OCR) is Next.HAND_ON
    assert [job for job, step in bench.ran if step is Step.OCR] == ["1"]
    first, second = bench.step(Step.OCR), bench.step(Step.OCR, "2")
    assert (first.reused, second.reused) == (False, True)
    assert (first.result, first.confidence) == (second.result, second.confidence)
    assert [one.key for one in bench.view("2").artifacts] == ["work/m.png"]


def test_what_a_step_has_spent_is_in_its_row(bench: Bench) -> None:
    def work(_: Work) -> Found:
        spent(device_seconds=0.5, read=10, written=20)
        return Found(Note(text="seen"))

    bench.keys = True
    bench.instead[Step.OCR] = work
    for name in ("1", "2"):
        row = bench.submit(name)
        bench.deliver(row, Step.PREPARE)
        bench.deliver(row, Step.OCR)
    first, second = bench.step(Step.OCR), bench.step(Step.OCR, "2")
    assert (first.device_seconds, first.bytes_read, first.bytes_written) == (0.5, 10, 20)
    assert 0 <= first.cpu_seconds < 10
    assert (second.reused, second.device_seconds) == (True, 0.0)


def test_other_input_and_other_models_are_computed_again(bench: Bench) -> None:
    for name in ("1", "2"):
        row = bench.submit(name)
        bench.deliver(row, Step.PREPARE)
        bench.deliver(row, Step.OCR)
    bench.keys = True
    for number, services in enumerate(
        (bench.services, replace(bench.services, models=replace(fake_models(), infos=())))
    ):
        runner = replace(bench.runner, services=services)
        row = bench.submit(f"key {number}")
        runner.deliver(row, Step.PREPARE, worker="w1")
        runner.deliver(row, Step.OCR, worker="w1")
    assert len([job for job, step in bench.ran if step is Step.OCR]) == 4


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


def test_many_threads_may_run_one_runner(bench: Bench) -> None:
    rows = [bench.submit(str(number)) for number in range(6)]

    def through(row: UUID) -> list[Next]:
        return [bench.deliver(row, step) for step in JOB.chain]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(through, rows)) == [[Next.HAND_ON] * 3] * 6
    assert bench.services.views.counts("tests") == {"accepted": 6}
    assert len(bench.events()) == 6
