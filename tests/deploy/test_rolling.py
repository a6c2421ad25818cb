"""Every worker is replaced under load, as an upgrade does it: nothing lost, nothing doubled."""

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from packshot.client import Client
from packshot.store.engine import open_engine
from packshot.store.views import Views
from tests.support.fleet import Fleet, Listener, settings_of, wait_until
from tests.support.installation import install, local_environment, small_job

pytestmark = pytest.mark.services

JOBS = 60


@pytest.fixture
def fleet(rabbit: str, postgres: str, tmp_path: Path) -> Iterator[Fleet]:
    settings = local_environment(rabbit, postgres, tmp_path)
    install(settings_of(settings))
    made = Fleet(settings, tmp_path)
    yield made
    made.close()


def test_every_job_ends_once(fleet: Fleet, listen: Callable[[], Listener]) -> None:
    url = fleet.settings["PACKSHOT_BROKER_URL"]
    listener = listen()
    fakes = ("--fake-models", "0.1")
    old = [fleet.start(role, *fakes) for role in ("io", "gpu")]
    engine = open_engine(fleet.settings["PACKSHOT_DATABASE_URL"])
    views = Views(engine)
    with Client(url) as client:
        for number in range(JOBS):
            client.submit(small_job(f"job-{number}", lane="live" if number % 3 else "bulk"))
    replaced_at = []
    for worker, role in zip(old, ("io", "gpu"), strict=True):
        fleet.start(role, *fakes)  # the new one is ready first
        done = views.counts()
        replaced_at.append(done.get("accepted", 0) + done.get("review", 0))
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0, "it drained"
    assert min(replaced_at) < JOBS, "there was work under way"
    wait_until(
        lambda: sum(views.counts().get(s, 0) for s in ("accepted", "review")) == JOBS,
        120,
        "jobs are lost",
    )
    events = listener.wait(JOBS, 30)
    listener.quiet(3)
    finals = Counter(event["subject"] for event in {e["id"]: e for e in events}.values())
    assert len(finals) == JOBS
    assert set(finals.values()) == {1}, "a job ended twice"
    attempts = [step.attempt for n in range(JOBS) for step in views.job("tests", f"job-{n}").steps]
    assert max(attempts) == 1, "a drained worker costs no attempt"
    engine.dispose()
