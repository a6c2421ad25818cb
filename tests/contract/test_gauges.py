"""What the exporter reads of the ledger, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text, update

from packshot.contract import Image, Job, Lane, Step
from packshot.store.engine import open_engine
from packshot.store.gauges import Gauges, costs
from packshot.store.ledger import Ledger, Outcome, Settlement
from packshot.store.tables import JobRow, JobStatus, OutboxRow, ReviewRow


@pytest.fixture
def engine(both: Engine) -> Engine:
    return both


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine, pipeline="test")


def submit(ledger: Ledger, name: str, lane: Lane, *until: Step, review: bool = False) -> None:
    """A job whose steps before `until` are done; with no `until`, none is."""
    job = Job(version=1, source="tests", job_id=name, image=Image(uri="s3://a/b"), lane=lane)
    row = ledger.submit(job).id
    for step in until:
        end = None
        if step is Step.FINISH:
            status = JobStatus.REVIEW if review else JobStatus.ACCEPTED
            end = Settlement(status, {}, (), 0.5, None, {})
        ticket = ledger.begin(row, step, worker="w")
        ledger.commit(ticket, Outcome({}, seconds=2.0, settlement=end))


def aged(engine: Engine, name: str, seconds: float) -> None:
    """Make a job and its event so many seconds old."""
    since = datetime.now(UTC) - timedelta(seconds=seconds)
    with engine.begin() as connection:
        connection.execute(update(JobRow).where(JobRow.job_id == name).values(created_at=since))


def test_an_empty_ledger_has_nothing_to_tell(engine: Engine) -> None:
    gauges = Gauges(engine)
    assert gauges.oldest() == {}
    assert gauges.running() == {}
    assert set(costs(gauges).values()) == {None}
    assert (gauges.outbox().count, gauges.outbox().age) == (0, 0)
    assert [one.count for one in gauges.reviews().values()] == [0, 0]


def test_the_oldest_job_of_each_step_and_lane(engine: Engine, ledger: Ledger) -> None:
    submit(ledger, "new", Lane.LIVE)
    submit(ledger, "old", Lane.LIVE)
    submit(ledger, "ocr", Lane.BULK, Step.PREPARE)
    submit(ledger, "done", Lane.BULK, *Step)
    for name, seconds in (("new", 5), ("old", 50), ("ocr", 500), ("done", 5000)):
        aged(engine, name, seconds)
    found = Gauges(engine).oldest()
    assert set(found) == {(Step.PREPARE, Lane.LIVE), (Step.OCR, Lane.BULK)}
    assert found[Step.PREPARE, Lane.LIVE] == pytest.approx(50, abs=5)
    assert found[Step.OCR, Lane.BULK] == pytest.approx(500, abs=5)


def test_steps_that_workers_hold(engine: Engine, ledger: Ledger) -> None:
    submit(ledger, "1", Lane.LIVE)
    submit(ledger, "2", Lane.BULK, Step.PREPARE)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT id FROM jobs ORDER BY job_id")).all()
    assert len(rows) == 2
    jobs = Job(version=1, source="tests", job_id="1", image=Image(uri="s3://a/b"), lane=Lane.LIVE)
    ledger.begin(ledger.submit(jobs).id, Step.PREPARE, worker="w")
    assert Gauges(engine).running() == {(Step.PREPARE, Lane.LIVE): 1}


def test_the_cost_of_steps(engine: Engine, ledger: Ledger) -> None:
    submit(ledger, "1", Lane.LIVE, Step.PREPARE, Step.OCR)
    found = costs(Gauges(engine))
    assert found[Step.PREPARE] == found[Step.OCR] == 2.0
    assert found[Step.MATTING] is None


def test_reviews_and_the_outbox(engine: Engine, ledger: Ledger) -> None:
    submit(ledger, "1", Lane.LIVE, *Step, review=True)
    submit(ledger, "2", Lane.LIVE, *Step)
    since = datetime.now(UTC) - timedelta(seconds=70)
    with engine.begin() as connection:
        connection.execute(update(ReviewRow).values(created_at=since))
        connection.execute(update(OutboxRow).values(created_at=since))
    gauges = Gauges(engine)
    reviews = gauges.reviews()
    assert (reviews[Lane.LIVE].count, reviews[Lane.BULK].count) == (1, 0)
    assert reviews[Lane.LIVE].age == pytest.approx(70, abs=5)
    assert gauges.outbox().count == 2
    assert gauges.outbox().age == pytest.approx(70, abs=5)


@pytest.mark.services
def test_every_query_follows_an_index(postgres_ledger: str) -> None:
    """On a table that is not tiny, no plan reads all of it."""
    engine = open_engine(postgres_ledger)
    with engine.begin() as db:
        db.execute(text(MANY_JOBS))
        db.execute(text(MANY_STEPS))
        db.execute(text("ANALYZE jobs"))
        db.execute(text("ANALYZE steps"))
        plan = "\n".join(
            row[0]
            for query in (OLDEST_PLAN, COST_PLAN)
            for row in db.execute(text("EXPLAIN " + query))
        )
    assert "ix_jobs_unfinished" in plan
    assert "ix_steps_name_started_at" in plan
    assert "Seq Scan" not in plan
    found = Gauges(engine).oldest()
    assert set(found) == {(Step.PREPARE, Lane.BULK)}
    engine.dispose()


#: 20000 jobs, of which each tenth is unfinished.
MANY_JOBS = """
INSERT INTO jobs (id, source, job_id, sku, lane, status, request, digest, pipeline,
                  created_at, updated_at)
SELECT gen_random_uuid(), 's', n::text, '', 'bulk',
       CASE WHEN n % 10 = 0 THEN 'queued' ELSE 'accepted' END, '{}', '', '',
       now() - n * interval '1 second', now()
FROM generate_series(1, 20000) n"""
MANY_STEPS = """
INSERT INTO steps (job, name, position, status, attempt, fence, reused, seconds, started_at)
SELECT id, 'prepare', 0, CASE WHEN status = 'queued' THEN 'pending' ELSE 'done' END, 1, 1, false,
       0.5, CASE WHEN status = 'queued' THEN NULL ELSE created_at END
FROM jobs"""
OLDEST_PLAN = """SELECT id FROM jobs WHERE lane = 'bulk' AND status IN ('queued', 'running')
ORDER BY created_at LIMIT 500"""
COST_PLAN = """SELECT seconds FROM steps WHERE name = 'prepare' AND started_at IS NOT NULL
ORDER BY started_at DESC LIMIT 300"""
