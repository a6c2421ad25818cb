"""A worker process serves what it did, on the port that it was given."""

import http.client
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from packshot.client import Client
from tests.support.fleet import Fleet, Listener
from tests.support.installation import local_environment, small_job
from tests.support.server import free_ports

pytestmark = pytest.mark.services


@pytest.fixture
def fleet(rabbit: str, postgres: str, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(local_environment(rabbit, postgres, tmp_path), tmp_path)
    fleet.packshot("db", "upgrade")
    yield fleet
    assert set(fleet.close()) <= {0}


def test_a_job_is_in_the_workers_metrics(
    fleet: Fleet, rabbit: str, listen: Callable[[], Listener]
) -> None:
    (port,) = free_ports(1)
    listener = listen()
    fleet.start("all", "--fake-models", "0", "--metrics-port", str(port))
    with Client(rabbit) as client:
        client.submit(small_job("1"))
    listener.wait(1, 60)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/metrics")
    page = connection.getresponse().read().decode()
    connection.close()
    for line in (
        'packshot_messages_total{outcome="taken"} 1.0',
        'packshot_steps_total{lane="bulk",outcome="done",step="ocr"} 1.0',
        'packshot_step_wait_seconds_count{lane="bulk",step="finish"} 1.0',
        'packshot_job_duration_seconds_count{lane="bulk"} 1.0',
        'packshot_worker_slots{role="all"} 2.0',
        'packshot_jobs_total{lane="live",status="failed"} 0.0',
        'packshot_job_duration_seconds_bucket{lane="live",le="30.0"} 0.0',
        "process_resident_memory_bytes ",
    ):
        assert line in page, line
