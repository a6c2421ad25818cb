"""A correction outlives whoever works on it: processes that are really killed, on real servers."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from packshot.client import Client
from packshot.contract import CUTOUT, MAIN
from packshot.store.engine import open_engine
from packshot.store.people import People
from packshot.store.persons import Role
from packshot.store.tables import JobStatus
from packshot.store.views import JobView, Views
from tests.support.fleet import Fleet, Listener, settings_of
from tests.support.installation import install, local_environment, small_job
from tests.support.review_bench import HASHER, PASSWORD
from workers.services import open_store

pytestmark = pytest.mark.services

#: A process that decides and is gone before it has published anything: SIGKILL, no clean-up.
DECIDE_AND_DIE = """
import os, signal, sys
from packshot.store.engine import open_engine
from packshot.store.people import People
from packshot.store.review_items import Correction, Decision, Ruling
from packshot.store.reviews import Reviews

engine = open_engine(os.environ["PACKSHOT_DATABASE_URL"])
reviews, ann = Reviews(engine), People(engine).get("ann")
claim = reviews.claim_next(ann)
ruling = Ruling(decision=Decision.CORRECTED, correction=Correction(brand="Ding"))
assert reviews.decide(claim.hold, ruling, ann).restart
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def fleet(rabbit: str, postgres: str, tmp_path: Path) -> Iterator[Fleet]:
    settings = local_environment(rabbit, postgres, tmp_path)
    # Forgotten jobs are looked for often, so that the test does not wait for an idle reconciler.
    fleet = Fleet({**settings, "PACKSHOT_RECONCILE_SECONDS": "1"}, tmp_path)
    install(settings_of(fleet.settings))
    yield fleet
    fleet.close()


@pytest.fixture
def engine(postgres: str, fleet: Fleet) -> Iterator[Engine]:
    engine = open_engine(postgres)
    yield engine
    engine.dispose()


def test_killed_between_the_decision_and_the_pictures(
    fleet: Fleet, rabbit: str, engine: Engine, listen: Callable[[], Listener]
) -> None:
    """The decider dies before it publishes, and then a worker in the middle of the correction."""
    People(engine, hasher=HASHER).add("ann", "Ann", Role.REVIEWER, PASSWORD)
    listener = listen()
    victim = fleet.start("all", "--fake-models", "0", module="tests.support.mortal_worker")
    with Client(rabbit) as client:
        client.submit(small_job("tea", review="always", outputs=(CUTOUT, MAIN)))
    (asked,) = listener.wait(1, 60)
    assert asked["type"] == "job.review_requested"

    def seen() -> JobView:
        return Views(engine).job("tests", "tea")

    died = subprocess.run(
        (sys.executable, "-c", DECIDE_AND_DIE),
        env={**os.environ, **fleet.settings},
        check=False,
        timeout=60,
    )
    assert died.returncode == -signal.SIGKILL
    assert seen().status == JobStatus.RUNNING, "decided, and published by nobody"

    assert victim.wait(60) == -signal.SIGKILL, "the reconciler finds the job, and it dies of it"
    fleet.start("all", "--fake-models", "0")
    reviewed = [one for one in listener.wait(2, 90) if one["type"] == "job.reviewed"]
    listener.quiet(1)
    # Killed between publishing and marking, a relay publishes again: the id tells.
    assert len({one["id"] for one in reviewed}) == 1
    job = seen()
    assert (job.status, job.result and job.result["provenance"]["human"]) == ("accepted", ["brand"])
    assert job.result
    assert job.result["recognition"]["brand"]["value"] == "Ding"
    store = open_store(settings_of(fleet.settings))
    newest = {one.name: one for one in job.artifacts}
    for name in ("cutout", "main"):
        assert newest[name].version == 2
        assert store.size(newest[name].key) == newest[name].bytes
