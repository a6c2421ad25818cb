"""A handful of the chaos scenarios, short; `make chaos` plays all of them, with more seeds."""

import pytest

from tests.chaos.run import FAMILIES, SHORT_JOBS
from tests.chaos.scenario import SCENARIOS
from tests.chaos.site import Servers
from tests.chaos.world import Options, play
from tests.support.postgres_server import PostgresServer
from tests.support.rabbit_node import Broker
from tests.support.s3_server import S3Server
from tests.support.server import Guard

pytestmark = pytest.mark.services


def test_every_family_has_registered_its_scenarios() -> None:
    assert {one.play.__module__ for one in SCENARIOS.values()} == {one.__name__ for one in FAMILIES}


@pytest.fixture
def servers(
    guard: Guard, broker: Broker, postgres_server: PostgresServer, s3_server: S3Server
) -> Servers:
    """The run's own servers: the short scenarios kill workers and cut lines, but no server."""
    return Servers(guard, broker, postgres_server, s3_server)


@pytest.mark.parametrize("name", ["kill_all", "die_after_commit", "cut_database"])
def test_nothing_is_lost_and_nothing_doubled(name: str, servers: Servers) -> None:
    found = play(SCENARIOS[name], Options(jobs=SHORT_JOBS, seed=1), servers)
    assert found.tested, "no fault hit: the scenario proves nothing"
    assert found.violations == {}, found.notes
    assert found.submitted == found.settled == SHORT_JOBS


def test_the_suite_fails_where_the_guards_are_missing(servers: Servers) -> None:
    one = SCENARIOS["sent_twice"]
    found = play(one, Options(jobs=SHORT_JOBS, seed=1, without=one.guards), servers)
    assert found.violations, "the checker has found nothing wrong with a product without guards"
