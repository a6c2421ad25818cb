"""The trace of one job as a collector gets it: real workers, RabbitMQ, Postgres, OTLP over HTTP."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from packshot.client import Client
from packshot.contract import Step
from tests.support.collector import Collector
from tests.support.fleet import Fleet, settings_of
from tests.support.installation import install, local_environment, small_job

pytestmark = pytest.mark.services

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with closing(Collector()) as collector:
        yield collector


@pytest.fixture
def fleet(
    rabbit: str, postgres_ledger: str, tmp_path: Path, collector: Collector
) -> Iterator[Fleet]:
    settings = local_environment(rabbit, postgres_ledger, tmp_path)
    install(settings_of(settings))
    fleet = Fleet({**settings, "PACKSHOT_OTLP_ENDPOINT": collector.endpoint}, tmp_path)
    yield fleet
    fleet.close()


def test_one_tree_from_the_producer_to_the_event(
    fleet: Fleet, rabbit: str, collector: Collector
) -> None:
    for role in ("io", "gpu"):
        fleet.start(role, "--fake-models", "0.01")
    with Client(rabbit) as client:
        client.submit(small_job("traced", traceparent=f"00-{TRACE}-{SPAN}-01"))
    spans = {span.name: span for span in collector.wait(len(Step) + 3, 60)}
    assert spans.keys() == {*Step, "job", "intake", "event"}
    assert {span.trace for span in spans.values()} == {TRACE}
    assert spans["job"].parent == SPAN
    assert {spans[name].parent for name in (*Step, "intake")} == {spans["job"].id}
    assert spans["event"].parent == spans[Step.FINISH].id
    assert len({span.worker for span in spans.values()}) == 2
    assert spans["job"].attributes["packshot.job_id"] == "traced"
    assert fleet.close() == [0, 0]
