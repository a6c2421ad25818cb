"""From a message that nobody serves to an alert: real broker, exporter, Prometheus and rules."""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Producer

from packshot.contract import Lane, Step, queue_name
from packshot.metrics import DECLARED
from packshot.settings import Settings
from packshot.store.engine import open_engine
from packshot.store.gauges import Gauges
from tasks.topology import JOBS, declare
from tests.support.fixtures import need
from tests.support.fleet import wait_until
from tests.support.rabbit_node import confirming
from tests.support.server import free_ports
from workers.database import upgrade
from workers.exporter.queues import look
from workers.exporter.work import Depth

pytestmark = pytest.mark.services

RULES = Path(__file__).resolve().parents[2] / "deploy" / "monitoring" / "rules" / "packshot.yaml"
OCR = queue_name(Step.OCR, Lane.LIVE)
#: Seconds for a server to start and for an alert to go from message to firing.
PATIENCE = 60.0


def get(port: int, path: str) -> bytes:
    """The body of an answer; nothing while the server starts."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    except OSError:
        return b""
    finally:
        connection.close()


@contextmanager
def running(*command: str, folder: Path, **env: str) -> Iterator[None]:
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=out, env={**os.environ, **env}
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def firing(prometheus: int) -> set[str]:
    found: dict[str, Any] = json.loads(get(prometheus, "/api/v1/alerts") or '{"data":{}}')
    alerts = found["data"].get("alerts", [])
    return {one["labels"]["alertname"] for one in alerts if one["state"] == "firing"}


def publish(url: str) -> None:
    with confirming(url) as connection:
        Producer(connection.channel(), JOBS).publish({}, routing_key=OCR)


@pytest.fixture
def installation(rabbit: str, tmp_path: Path) -> dict[str, str]:
    database = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    upgrade(open_engine(database))
    with Connection(rabbit) as connection:
        declare(connection, 100)
    return {"PACKSHOT_BROKER_URL": rabbit, "PACKSHOT_DATABASE_URL": database}


def test_a_queue_without_workers_wakes_somebody(
    pytestconfig: pytest.Config, installation: dict[str, str], tmp_path: Path
) -> None:
    program = shutil.which("prometheus")
    if program is None:
        need(pytestconfig, "prometheus", "apt-get install prometheus")
    exporter, prometheus = free_ports(2)
    # The rules as they are, only impatient: nobody waits five minutes for a test.
    rules = re.sub(r"for: \d+[mh]", "for: 1s", RULES.read_text(encoding="utf-8"))
    (tmp_path / "rules.yaml").write_text(re.sub(r"interval: \d+s", "interval: 1s", rules))
    (tmp_path / "prometheus.yaml").write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        "rule_files: [rules.yaml]\n"
        "scrape_configs:\n"
        f"  - {{job_name: exporter, static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]}}\n"
    )
    packshot = (sys.executable, "-m", "packshot", "exporter", "--port", str(exporter))
    with (
        running(
            *packshot, "--listen", "127.0.0.1", "--every", "1", folder=tmp_path, **installation
        ),
        running(
            *(program, "--config.file=prometheus.yaml", "--storage.tsdb.path=data"),
            f"--web.listen-address=127.0.0.1:{prometheus}",
            folder=tmp_path,
        ),
    ):
        served = b'packshot_queue_messages{lane="live",state="ready",step="ocr"}'
        wait_until(
            lambda: served in get(exporter, "/metrics"),
            PATIENCE,
            "the exporter serves nothing",
        )
        wait_until(lambda: b"Ready" in get(prometheus, "/-/ready"), PATIENCE, "no Prometheus")
        publish(installation["PACKSHOT_BROKER_URL"])
        wait_until(
            lambda: "PackshotQueueUnserved" in firing(prometheus), PATIENCE, "no alert was fired"
        )
        assert "PackshotExporterDown" not in firing(prometheus)
        assert get(exporter, "/healthz") == b"ok\n"
        with Connection(installation["PACKSHOT_BROKER_URL"]) as connection:
            connection.channel().queue_purge(OCR)
        wait_until(
            lambda: "PackshotQueueUnserved" not in firing(prometheus), PATIENCE, "it never ends"
        )
        page = get(exporter, "/metrics").decode()
    missing = [
        one.name
        for one in DECLARED
        if one.served_by == "exporter" and f"# TYPE {one.name} " not in page
    ]
    assert missing == []


def test_over_amqp_the_same_is_counted(
    installation: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A management API that does not answer costs detail, not the count."""
    for name, value in installation.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(
        "PACKSHOT_MANAGEMENT_URL", f"http://guest:guest@127.0.0.1:{free_ports(1)[0]}"
    )
    publish(installation["PACKSHOT_BROKER_URL"])
    settings = Settings.load()
    gauges = Gauges(open_engine(settings.ledger_url))
    found = look(settings, gauges.running)
    assert found.depths[Step.OCR, Lane.LIVE] == Depth(1, 0)
    assert found.servers == ()
    assert found.letters == {"dead": 0, "rejected": 0}
