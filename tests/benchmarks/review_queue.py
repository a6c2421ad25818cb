"""The queue's page and a claim, at 1,000 and at 100,000 waiting items: in the store and over HTTP.

    python -m tests.benchmarks.review_queue

Against a real Postgres; the ratio is what to read, and must not be above `BAR`. The two sizes are
measured in turns on one server, so that whatever else the machine does falls on both.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, text

from packshot.console.app import create_app
from packshot.contract import Image, Job, Lane
from packshot.store.engine import open_engine
from packshot.store.persons import Person
from packshot.store.review_items import Filters
from packshot.store.reviews import Reviews
from tests.support.console import Visit, served, site_of
from tests.support.postgres_server import PrivatePostgres
from tests.support.review_bench import PASSWORD, ReviewBench, Wall, result
from tests.support.server import Guard
from workers.database import upgrade

#: What 100,000 items may cost, relative to 1,000.
BAR = 1.5
SIZES = (1_000, 100_000)

#: One job and one item per number, as the ledger would have written them.
_JOBS = """
INSERT INTO jobs (id, source, job_id, sku, lane, status, request, digest, pipeline, result, words,
                  created_at, updated_at, finished_at)
SELECT gen_random_uuid(), 'shop-' || n % 7, n::text, 'SKU-' || n, CASE WHEN n % 20 = 0 THEN 'live'
       ELSE 'bulk' END, 'review', CAST(:request AS jsonb), '', 'bench', CAST(:result AS jsonb),
       'sku ' || n, t, t, t
FROM (SELECT n, now() - n * interval '1 second' AS t FROM generate_series(1, :count) n) AS series
"""
_ITEMS = """
INSERT INTO reviews (id, job, status, lane, reasons, confidence, created_at, source, sku, category,
                     policy, priority, due_at, version)
SELECT gen_random_uuid(), id, 'open', lane, '[{"code": "text_unsure", "message": "x"}]',
       random(), created_at, source, sku, 504, 'bench', CASE lane WHEN 'live' THEN 0 ELSE 1 END,
       created_at + interval '1 day', 0 FROM jobs
"""
_REASONS = """
INSERT INTO review_reasons (code, priority, due_at, review)
SELECT 'text_unsure', priority, due_at, id FROM reviews
"""


@dataclass(frozen=True, slots=True)
class Site:
    """One ledger of one size."""

    engine: Engine
    reviews: Reviews
    person: Person
    visit: Visit

    def get(self, path: str) -> None:
        """A page as a browser gets it: session, queries, template, bytes."""
        answer = self.visit("GET", path)
        assert answer.status == 200, answer.data[:200]

    def claim_over_http(self) -> None:
        """What a page does when it opens and when it closes."""
        answer = self.visit("POST", "/api/v1/reviews/claim-next")
        assert answer.status == 200, answer.data[:200]
        held = answer.json()
        form = {"token": held["token"], "version": held["version"]}
        path = f"/api/v1/reviews/{held['item']['id']}/release"
        assert self.visit("POST", path, form=form).json() == {"released": True}

    def page(self, filters: Filters) -> None:
        """What the queue page asks for: the items and how many there are."""
        self.reviews.page(filters)
        self.reviews.count(filters)

    def claim(self) -> None:
        """Take the most urgent item and give it back, so that the next round finds the same."""
        claim = self.reviews.claim_next(self.person)
        assert claim is not None
        self.reviews.release(claim.hold)


ACTIONS: dict[str, Callable[[Site], None]] = {
    "page": lambda site: site.page(Filters()),
    "page, one source": lambda site: site.page(Filters(source="shop-3")),
    "page, one reason": lambda site: site.page(Filters(reason="text_unsure")),
    "page, live lane": lambda site: site.page(Filters(lane=Lane.LIVE)),
    "claim and release": lambda site: site.claim(),
    "GET /queue": lambda site: site.get("/queue"),
    "GET /queue, one reason": lambda site: site.get("/queue?reason=text_unsure"),
    "GET /queue, live lane": lambda site: site.get("/queue?lane=live"),
    "HTTP claim and release": lambda site: site.claim_over_http(),
}


def main() -> int:
    """Measure and print medians in milliseconds; 1 where a ratio is above the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    guard = Guard()
    server = PrivatePostgres(guard)
    server.start()
    try:
        with ExitStack() as stack:
            sites = {size: fill(server.url(server.create()), size, stack) for size in SIZES}
            worst = max(compare(name, action, sites, rounds) for name, action in ACTIONS.items())
    finally:
        server.remove()
        guard.close()
    print(f"worst ratio {worst:.2f}, bar {BAR}")
    return int(worst > BAR)


def fill(url: str, size: int, stack: ExitStack) -> Site:
    """A ledger with that many open items, and a console over it."""
    engine = open_engine(url, pool_size=20)
    stack.callback(engine.dispose)
    upgrade(engine)
    job = Job(version=1, source="b", job_id="b", image=Image(uri="s3://a/b"))
    values: dict[str, Any] = {
        "count": size, "request": job.model_dump_json(), "result": json_text(result())
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(text(_JOBS), values)
        connection.execute(text(_ITEMS))
        connection.execute(text(_REASONS))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    bench = ReviewBench(engine, clock=Wall())
    person = bench.person()
    base = stack.enter_context(served(create_app(site_of(bench))))
    signed = bench.people.sign_in("ann", PASSWORD, address="benchmark")
    visit = Visit(base, {"packshot_session": signed.token}, signed.csrf)
    return Site(engine, Reviews(engine), person, visit)


def json_text(value: dict[str, Any]) -> str:
    """A result of the size that a real one has."""
    embedding = {"embedding": "A" * 3414}
    return json.dumps({**value, "recognition": {**value["recognition"], **embedding}})


def compare(
    name: str, action: Callable[[Site], None], sites: dict[int, Site], rounds: int
) -> float:
    """Measure one action at every size in turns; returns large over small."""
    times: dict[int, list[float]] = {size: [] for size in sites}
    for number in range(rounds + 5):
        for size, site in sites.items():
            started = time.perf_counter()
            action(site)
            if number >= 5:  # the first ones warm caches up
                times[size].append(time.perf_counter() - started)
    small, large = (statistics.median(times[size]) * 1000 for size in SIZES)
    print(f"{name:23} {small:7.2f} ms at {SIZES[0]:,}  {large:7.2f} ms at {SIZES[1]:,}  "
          f"ratio {large / small:.2f}")  # fmt: skip
    return large / small


if __name__ == "__main__":
    sys.exit(main())
