"""What the ledger costs: `python -m tests.benchmarks.ledger`.

Begin and commit of steps against a real Postgres, one thread, against the same number of bare
transactions of one statement on the same connection pool: the ratio is what to read.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from sqlalchemy import text

from packshot.contract import Image, Job
from packshot.store.engine import open_engine
from packshot.store.ledger import Ledger, Outcome
from tests.support.postgres_server import PrivatePostgres
from tests.support.server import Guard
from workers.database import upgrade

Answer = TypeVar("Answer")


def main() -> int:
    """Measure and print medians in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    count = parser.parse_args().jobs
    guard = Guard()
    server = PrivatePostgres(guard)
    server.start()
    try:
        engine = open_engine(server.url(server.create()))
        upgrade(engine)
        ledger = Ledger(engine, pipeline="bench")
        times: dict[str, list[float]] = {"bare": [], "submit": [], "begin": [], "commit": []}

        def bare() -> None:
            with engine.begin() as connection:
                connection.execute(text("UPDATE alembic_version SET version_num = version_num"))

        for number in range(count):
            job = Job(version=1, source="b", job_id=str(number), image=Image(uri="s3://a/b"))
            row = _timed(times["submit"], partial(ledger.submit, job)).id
            for step in job.chain[:-1]:
                _timed(times["bare"], bare)
                ticket = _timed(times["begin"], partial(ledger.begin, row, step, worker="b"))
                _timed(
                    times["commit"],
                    partial(ledger.commit, ticket, Outcome({"a": 1}, 0.9)),
                )
        engine.dispose()
    finally:
        server.remove()
        guard.close()
    for name, each in times.items():
        print(f"{name:8} median {statistics.median(each) * 1000:6.2f} ms, {len(each)} times")
    cost = statistics.median(times["begin"]) + statistics.median(times["commit"])
    print(
        f"a step's begin and commit: {cost * 1000:.2f} ms, "
        f"{cost / statistics.median(times['bare']):.1f} times a bare one-statement transaction"
    )
    return 0


def _timed(into: list[float], action: Callable[[], Answer]) -> Answer:
    started = time.perf_counter()
    answer = action()
    into.append(time.perf_counter() - started)
    return answer


if __name__ == "__main__":
    sys.exit(main())
