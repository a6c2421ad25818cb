"""The compose file: read by a strict parser, held to our rules, and its passwords really made."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from tests.deploy.compose_rules import compose_findings
from workers.access import users

COMPOSE = Path(__file__).resolve().parents[2] / "deploy" / "compose"
TEXT = (COMPOSE / "compose.yaml").read_text()


def load(text: str) -> dict[str, Any]:
    """With merge keys resolved and without our own `x-` keys."""
    loaded = yaml.safe_load(text)
    return {key: value for key, value in loaded.items() if not key.startswith("x-")}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compose")
    subprocess.run(("sh", str(COMPOSE / "secrets.sh"), str(folder)), check=True)
    return folder


def variables(folder: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (folder / ".env").read_text().splitlines())


def findings(text: str, folder: Path) -> list[str]:
    loaded = load(text)
    try:
        PyCompose.from_yaml(yaml.safe_dump(loaded))
    except ValueError as error:
        return [str(error)]
    return compose_findings(loaded["services"], set(variables(folder)))


def test_has_no_finding(secrets: Path) -> None:
    assert findings(TEXT, secrets) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param("healthcheck:", "healtcheck:", "healtcheck", id="mistyped key"),
        pytest.param("stop_grace_period: 120s", "stop_grace_period: soon", "soon", id="no time"),
        pytest.param("stop_grace_period: 120s", "stop_grace_period: 60s", "drained", id="killed"),
        pytest.param("redis: {condition", "radis: {condition", "which is not there", id="no such"),
        pytest.param("service_healthy", "service_started", "until", id="does not wait"),
        pytest.param(":17.6-bookworm", ":latest", "has no release", id="latest"),
        pytest.param("127.0.0.1:8321:8321", "8321:8321", "open to the network", id="open port"),
        pytest.param("${RABBITMQ_PASSWORD:?run secrets.sh first}", "x", "in clear", id="secret"),
        pytest.param("BROKER_GPU", "BROKER_CPU", "nobody sets BROKER_CPU", id="no variable"),
        pytest.param("${CONSOLE_SECRET:?run secrets.sh first}", "${CONSOLE_SECRET}", "silently",
                     id="may be empty"),
        pytest.param("PACKSHOT_BLOBS", "PACKSHOT_BLOB", "is no setting", id="no setting"),
        pytest.param("[worker, gpu,", "[worker, gqu,", "refuses", id="no role"),
        pytest.param("  read_only: true\n", "", "may write", id="writable"),
    ],
)  # fmt: skip
def test_finds(secrets: Path, old: str, new: str, told: str) -> None:
    assert old in TEXT
    found = findings(TEXT.replace(old, new), secrets)
    assert any(told in finding for finding in found), found


def test_mounts_what_is_there(secrets: Path) -> None:
    for name, service in load(TEXT)["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./secrets"):
                assert (secrets / source).exists(), f"{name}: {source}"
            elif source.startswith("."):
                assert (COMPOSE / source).exists(), f"{name}: {source}"


def test_passwords_are_new_and_private(secrets: Path, tmp_path: Path) -> None:
    subprocess.run(("sh", str(COMPOSE / "secrets.sh"), str(tmp_path)), check=True)
    first, second = variables(secrets), variables(tmp_path)
    assert first.keys() == second.keys()
    assert not set(first.values()) & set(second.values())
    assert len(set(first.values())) == len(first)
    assert all(len(value) == 48 for value in first.values())
    assert (secrets / ".env").stat().st_mode & 0o077 == 0
    assert json.loads((secrets / "secrets/s3.json").read_text())["identities"]
    made = {path.name for path in (secrets / "secrets/broker").iterdir()}
    assert made <= {user.name for user in users()}


def test_passwords_are_not_replaced_by_accident(secrets: Path) -> None:
    before = (secrets / ".env").read_text()
    done = subprocess.run(("sh", str(COMPOSE / "secrets.sh"), str(secrets)), check=False)
    assert done.returncode == 1
    assert (secrets / ".env").read_text() == before


def test_every_broker_user_has_the_password_that_its_process_is_told(secrets: Path) -> None:
    known = variables(secrets)
    for path in (secrets / "secrets/broker").iterdir():
        name = f"BROKER_{path.name.removeprefix('packshot-').upper()}"
        assert known[name] == path.read_text()
