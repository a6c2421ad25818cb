"""Probe files while the broker is away."""

from pathlib import Path

import pytest
from kombu.exceptions import OperationalError
from pydantic import SecretStr

from packshot.settings import Settings
from tasks.app import create_app
from tests.support.server import free_ports
from workers.health import Probes

pytestmark = pytest.mark.services


@pytest.mark.parametrize("connect", ["connection_for_read", "connection_for_write"])
def test_a_loop_that_waits_for_the_broker_counts_as_alive(connect: str, tmp_path: Path) -> None:
    probes = Probes(tmp_path)
    nobody = f"amqp://127.0.0.1:{free_ports(1)[0]}//"
    app = create_app(Settings(broker_url=SecretStr(nobody)))
    probes.install(app)
    assert probes.live.exists(), "the models are warm"
    assert not probes.ready.exists()
    probes.live.unlink()
    told = []
    with getattr(app, connect)() as connection, pytest.raises(OperationalError):
        connection.ensure_connection(
            max_retries=1, interval_start=0.01, callback=lambda: told.append(1)
        )
    assert probes.live.exists()
    assert told, "Celery's own callback is still called: it ends the waiting at SIGTERM"
    assert not probes.ready.exists()
