"""A worker that sends events does not stall.

In Celery 5.7.0 a thread pool, events, confirms and a heartbeat together stop the whole worker: see
`tasks.app`. Without what is done there, this worker answers a few of the messages and stops.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery.events.event import get_exchange
from kombu import Connection, Queue

from packshot.client import Client
from packshot.contract import Lane, Step, queue_name
from tasks import workflow
from tasks.app import create_app
from tests.support.fleet import READY_SECONDS, Listener, depth, settings_of, wait_until
from tests.support.installation import install, local_environment, small_job

pytestmark = pytest.mark.services

HEARTBEAT_SECONDS = 2
#: Deliveries that the ledger answers at once: many events in a short time.
BURST = 200
PREPARE = queue_name(Step.PREPARE, Lane.BULK)
EVENTS = "test.celeryev"


@pytest.fixture
def environment(rabbit: str, postgres: str, tmp_path: Path) -> dict[str, str]:
    environment = local_environment(rabbit, postgres, tmp_path)
    install(settings_of(environment))
    return environment


@pytest.fixture
def worker(environment: dict[str, str], tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = (sys.executable, "-m", "tests.support.brisk_worker", str(HEARTBEAT_SECONDS))
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            (*command, str(tmp_path / "probes")),
            env={**os.environ, **environment, "PYTHONPATH": str(Path.cwd())},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    ready = tmp_path / "probes" / "ready"
    wait_until(ready.exists, READY_SECONDS, "the worker is not ready")
    yield worker
    worker.kill()
    worker.wait()


def test_a_worker_with_events_goes_on(
    worker: "subprocess.Popen[bytes]",
    environment: dict[str, str],
    rabbit: str,
    listen: Callable[[], Listener],
) -> None:
    listener = listen()
    with Connection(rabbit) as connection:
        # The worker declares its exchange with the first event: perhaps not yet.
        Queue(EVENTS, get_exchange(connection), "#").bind(connection.default_channel).declare()
    idle = time.monotonic() + 2.5 * HEARTBEAT_SECONDS
    wait_until(lambda: time.monotonic() > idle, 60, "time stands still")
    with Client(rabbit) as client:
        client.submit(small_job("first"))
        (event,) = listener.wait(1, 30)
        app = create_app(settings_of(environment))
        for _ in range(BURST):
            workflow.start(app, event["data"]["id"], small_job("first"))
        wait_until(lambda: depth(rabbit, PREPARE) == 0, 30, "the worker stalls")
        client.submit(small_job("second"))
        listener.wait(2, 30)
    assert depth(rabbit, EVENTS) > BURST  # events are on, or nothing was tested
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
