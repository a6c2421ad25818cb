"""How long a worker takes to end beyond its drain: the manifests' grace periods rest on it."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from packshot.client import Client
from packshot.store.engine import open_engine
from packshot.store.views import Views
from tests.deploy.manifest_rules import DRAIN_OVERHEAD
from tests.support.fleet import Fleet, settings_of, wait_until
from tests.support.installation import install, local_environment, small_job

pytestmark = pytest.mark.services

DRAIN = 2.0


@pytest.fixture
def fleet(rabbit: str, postgres: str, tmp_path: Path) -> Iterator[Fleet]:
    settings = local_environment(rabbit, postgres, tmp_path)
    settings["PACKSHOT_DRAIN_SECONDS"] = str(DRAIN)
    install(settings_of(settings))
    made = Fleet(settings, tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "in a step longer than its drain"])
def test_ends_in_the_grace_that_is_left(fleet: Fleet, busy: bool) -> None:
    worker = fleet.start("all", "--fake-models", "60" if busy else "0")
    if busy:
        with Client(fleet.settings["PACKSHOT_BROKER_URL"]) as client:
            client.submit(small_job("long"))
        engine = open_engine(fleet.settings["PACKSHOT_DATABASE_URL"])
        views = Views(engine)
        wait_until(lambda: bool(views.counts()), 30, "not taken in")
        wait_until(
            lambda: any(
                step.name == "ocr" and step.status == "running"
                for step in views.job("tests", "long").steps
            ),
            30,
            "the step does not run",
        )
        engine.dispose()
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(DRAIN + DRAIN_OVERHEAD) == 0
    beyond = time.monotonic() - began - (DRAIN if busy else 0)
    print(f"beyond the drain: {beyond:.1f} s")  # noqa: T201 - docs/deploy.md quotes it
    assert beyond < DRAIN_OVERHEAD / 2, "the rest is for busier machines"
