"""What a ledger of many jobs costs: `python -m tests.benchmarks.large_ledger`.

The same calls on a small and on a large ledger, both on one Postgres, in turns: the ratio is what
to read. The newest hundredth of the jobs waits in the bulk lane, the rest has ended.
"""

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Engine, text

from packshot.contract import Image, Job, Lane, Step
from packshot.store.engine import open_engine
from packshot.store.gauges import Gauges
from packshot.store.ledger import Artifact, Ledger, Outcome
from packshot.store.outbox import Outbox
from packshot.store.search import Query, Search
from packshot.store.views import Views
from tests.support.postgres_server import PrivatePostgres
from tests.support.server import Guard
from workers.database import upgrade

#: What the large ledger may cost, relative to the small one.
BAR = 1.5
#: Calls before those that count.
WARM = 5

_JOBS = """
INSERT INTO jobs (id, source, job_id, sku, lane, status, request, digest, pipeline, words,
                  created_at, updated_at, finished_at)
SELECT gen_random_uuid(), 'shop-' || n % 7, n::text, 'SKU-' || n, 'bulk',
       CASE WHEN waits THEN 'queued' ELSE 'accepted' END, CAST(:request AS jsonb), '', 'bench',
       'sku ' || n, t, t, CASE WHEN waits THEN NULL ELSE t END
FROM (SELECT n, n * 100 > :count * 99 AS waits, now() - (:count - n) * interval '1 second' AS t
      FROM generate_series(1, :count) n) AS series
"""
_STEPS = """
INSERT INTO steps (job, name, position, status, attempt, fence, reused, seconds, input_key,
                   started_at, finished_at)
SELECT id, name, position - 1, CASE WHEN open THEN 'pending' ELSE 'done' END, 1, 1, false, 0.1,
       md5(id::text || name), CASE WHEN open THEN NULL ELSE created_at END,
       CASE WHEN open THEN NULL ELSE created_at END
FROM (SELECT id, created_at, status = 'queued' AS open FROM jobs) AS jobs,
     unnest(array['prepare', 'ocr', 'recognition', 'matting', 'finish'])
         WITH ORDINALITY AS steps (name, position)
"""
_ARTIFACTS = """
INSERT INTO artifacts (id, job, step, name, version, key, media_type, bytes, sha256, created_at)
SELECT gen_random_uuid(), id, 'matting', 'matte', 1, 'work/' || id, 'image/png', 1, '', created_at
FROM jobs WHERE status = 'accepted'
"""
_EVENTS = """
INSERT INTO outbox (id, job, type, event, created_at, published_at)
SELECT gen_random_uuid(), id, 'job.accepted', '{}', created_at, created_at
FROM jobs WHERE status = 'accepted'
"""


@dataclass
class Site:
    """A ledger of one size and who asks it."""

    engine: Engine
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.engine, pipeline="bench")
        self.gauges = Gauges(self.engine)
        self.outbox = Outbox(self.engine)
        self.search = Search(self.engine)
        self.views = Views(self.engine)

    def job(self) -> None:
        """The life of a job: submit, and for each step a look for the same input, begin, commit."""
        name = str(next(self.numbers))
        # In the other lane: a bulk job that overtakes those that wait would prove them forgotten.
        job = Job(version=1, source="b", job_id=name, image=Image(uri="s3://a/b"), lane=Lane.LIVE)
        row = self.ledger.submit(job).id
        for step in job.chain:
            known = self.ledger.reusable(step, f"{row}{step}")
            assert known is None
            ticket = self.ledger.begin(row, step, worker="bench")
            matte = (Artifact("matte", f"work/{row}", "image/png", 1, ""),)
            self.ledger.commit(
                ticket, Outcome({"a": 1}, 0.9, matte if step is Step.MATTING else ())
            )
        self.ledger.cancel(job.source, job.job_id)

    def examine(self) -> None:
        """What the exporter asks every few seconds."""
        self.gauges.oldest()
        self.gauges.running()
        self.gauges.reviews()
        self.gauges.outbox()
        for step in Step:
            self.gauges.seconds(step)

    def reconcile(self) -> None:
        """A look for jobs that stand still, while the bulk lane has a backlog."""
        assert not self.ledger.standing_still(timedelta(minutes=1), {(Step.OCR, Lane.LIVE)})


ACTIONS: dict[str, Callable[[Site], object]] = {
    "a job's life": Site.job,
    "an empty outbox": lambda site: site.outbox.relay(lambda _kind, _event: None),
    "a look for stopped jobs": Site.reconcile,
    "the exporter's queries": Site.examine,
    "one job's page": lambda site: site.views.job("shop-3", "150"),
    "newest jobs": lambda site: site.search.page(Query()),
    "search by SKU": lambda site: site.search.page(Query(text="SKU-150")),
}


def main() -> int:
    """Measure and print medians in milliseconds; 1 where a ratio is above the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=40)
    given = parser.parse_args()
    with postgres() as server:
        sites = [fill(server.url(server.create()), size) for size in (given.small, given.large)]
        print(f"{'':24} {given.small:>12,} {given.large:>12,} jobs")
        worst = max(compare(name, action, sites, given.rounds) for name, action in ACTIONS.items())
        for site in sites:
            site.engine.dispose()
    print(f"worst ratio {worst:.2f}, bar {BAR}")
    return int(worst > BAR)


@contextmanager
def postgres() -> Iterator[PrivatePostgres]:
    """A server for this run alone."""
    guard = Guard()
    server = PrivatePostgres(guard)
    server.start()
    try:
        yield server
    finally:
        server.remove()
        guard.close()


def fill(url: str, size: int) -> Site:
    """A ledger of `size` jobs."""
    started = time.monotonic()
    engine = open_engine(url)
    upgrade(engine)
    job = Job(version=1, source="b", job_id="b", image=Image(uri="s3://a/b"))
    with engine.begin() as db:
        db.execute(text("SET LOCAL statement_timeout = 0"))
        db.execute(text(_JOBS), {"count": size, "request": job.model_dump_json()})
        for rows in (_STEPS, _ARTIFACTS, _EVENTS):
            db.execute(text(rows))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("SET statement_timeout = 0"))
        db.execute(text("VACUUM ANALYZE"))
    engine.dispose()
    print(f"{size:,} jobs written in {time.monotonic() - started:.0f} s", file=sys.stderr)
    return Site(engine)


def compare(name: str, action: Callable[[Site], object], sites: list[Site], rounds: int) -> float:
    """Measure one action on every ledger in turns; returns large over small."""
    times: list[list[float]] = [[] for _ in sites]
    for number in range(rounds + WARM):
        for site, each in zip(sites, times, strict=True):
            started = time.perf_counter()
            action(site)
            if number >= WARM:
                each.append(time.perf_counter() - started)
    small, large = (statistics.median(each) * 1000 for each in times)
    print(f"{name:24} {small:9.2f} ms {large:9.2f} ms   ratio {large / small:.2f}")
    return large / small


if __name__ == "__main__":
    sys.exit(main())
