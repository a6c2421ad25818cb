"""Rules of ours: hardening, probes, draining, who may talk to whom, what containers are told."""

import re
from collections.abc import Iterator

import click

from packshot.settings import Settings
from tests.deploy.manifests import Doc, Pod, environment, of_kind, pods, selects, title

#: Seconds that a worker needs to end beyond PACKSHOT_DRAIN_SECONDS: measured at 1 to 3 on a busy
#: machine (tests/deploy/test_drain.py), and the threads that it joins may take 10 each.
DRAIN_OVERHEAD = 25
#: Variables that are none of the settings'.
OTHER = {"PACKSHOT_BROKER_ADMIN"}
#: What a pod that has this variable talks to, as the label that its network policy asks for.
PEERS = {
    "PACKSHOT_BROKER_URL": "packshot.io/broker",
    "PACKSHOT_DATABASE_URL": "packshot.io/database",
    "PACKSHOT_S3_ACCESS_KEY": "packshot.io/objects",
    "PACKSHOT_MANAGEMENT_URL": "packshot.io/broker-admin",
    "PACKSHOT_BROKER_ADMIN": "packshot.io/broker-admin",
    "FLOWER_BROKER_API": "packshot.io/broker-admin",
}


def rule_findings(docs: list[Doc]) -> list[str]:
    """What breaks a rule, one sentence each."""
    found = []
    for pod in pods(docs):
        for container in pod.containers:
            where = f"{pod.owner} {container['name']}"
            told = (
                *_hardening(pod, container),
                *_environment(container),
                *_resources(container),
                *command_problems(container.get("args", [])),
            )
            found += [f"{where}: {problem}" for problem in told]
        found += [f"{pod.owner}: {problem}" for problem in _peers(pod)]
    return [*found, *_workers(docs), *_denied(docs), *_settings(docs)]


def _hardening(pod: Pod, container: Doc) -> Iterator[str]:
    own, around = container.get("securityContext", {}), pod.spec.get("securityContext", {})
    if not around.get("runAsNonRoot") or not around.get("runAsUser"):
        yield "may run as root"
    if around.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "has no seccomp profile"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "may gain privileges"
    if own.get("readOnlyRootFilesystem") is not True:
        yield "may write to its image"
    if own.get("capabilities", {}).get("drop") != ["ALL"]:
        yield "keeps capabilities"
    if pod.spec.get("automountServiceAccountToken") is not False:
        yield "gets a token of the API server"
    if any(pod.spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")):
        yield "shares a namespace with its node"
    if not re.search(r":[\w.-]*\d[\w.-]*$", container["image"]):
        yield f"the image {container['image']} has no release"


def _environment(container: Doc) -> Iterator[str]:
    known: set[str] = set()
    settings = {f"PACKSHOT_{name.upper()}" for name in Settings.model_fields}
    for name, row in environment(container).items():
        value = row.get("value", "")
        missing = set(re.findall(r"\$\((\w+)\)", value)) - known
        if missing:
            yield f"{name} uses {missing}, which no earlier variable defines"
        if re.search(r"://[^/@]*:(?!\$\()[^/@]+@", value) or (
            re.search(r"PASSWORD|SECRET|KEY|AUTH", name) and "value" in row
        ):
            yield f"{name} has a secret in clear"
        if name.startswith("PACKSHOT_") and name not in settings | OTHER:
            yield f"{name} is no setting"
        known.add(name)


def _resources(container: Doc) -> Iterator[str]:
    resources = container.get("resources", {})
    requests, limits = resources.get("requests", {}), resources.get("limits", {})
    if not {"cpu", "memory"} <= requests.keys():
        yield "requests no CPU or no memory"
    if "memory" not in limits:
        yield "may take all the memory of its node"
    if "cpu" in limits:
        yield "has a CPU limit: a throttled worker misses its leases"
    if requests.get("nvidia.com/gpu") != limits.get("nvidia.com/gpu"):
        yield "asks for a GPU in one place only"


def command_problems(args: list[object]) -> Iterator[str]:
    """Arguments that the command itself would refuse."""
    if args[:1] != ["worker"]:
        return
    from workers.commands.worker import worker

    try:
        worker.make_context("worker", [str(arg) for arg in args[1:]])
    except click.ClickException as error:
        yield f"worker refuses its arguments: {error.format_message()}"


def _peers(pod: Pod) -> Iterator[str]:
    names = {name for container in pod.containers for name in environment(container)}
    for name, label in PEERS.items():
        if name in names and pod.labels.get(label) != "true":
            yield f"has {name} but not the label {label}: the network refuses it"
        alone = [peer for peer, other in PEERS.items() if other == label]
        if pod.labels.get(label) == "true" and not names & set(alone):
            yield f"has the label {label} for nothing"


def _workers(docs: list[Doc]) -> Iterator[str]:
    budgets = list(of_kind(docs, "PodDisruptionBudget"))
    drains = [doc["data"].get("PACKSHOT_DRAIN_SECONDS", "0") for doc in of_kind(docs, "ConfigMap")]
    for pod in pods(docs):
        container = pod.spec["containers"][0]
        if container.get("args", [])[:1] != ["worker"]:
            continue
        grace = pod.spec.get("terminationGracePeriodSeconds", 30)
        if grace < max(map(float, drains)) + DRAIN_OVERHEAD:
            yield f"{pod.owner}: is killed after {grace} s, before it has drained"
        if missing := {"startupProbe", "readinessProbe", "livenessProbe"} - container.keys():
            yield f"{pod.owner}: has no {missing}"
        if not any(selects(doc["spec"]["selector"], pod.labels) for doc in budgets):
            yield f"{pod.owner}: has no disruption budget"
        lane = pod.labels["packshot.io/lane"]
        if pod.spec.get("priorityClassName") != f"packshot-{lane}":
            yield f"{pod.owner}: serves {lane} with another priority"
        if container["args"][1] != pod.labels["packshot.io/role"] or lane not in container["args"]:
            yield f"{pod.owner}: its labels say something else than its arguments"
        user = f"packshot-{container['args'][1]}"
        if f"//{user}:" not in environment(container)["PACKSHOT_BROKER_URL"]["value"]:
            yield f"{pod.owner}: is not the broker's {user}"


def _denied(docs: list[Doc]) -> Iterator[str]:
    closed = any(
        doc["spec"]["podSelector"] == {}
        and set(doc["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        and not doc["spec"].get("ingress")
        and not doc["spec"].get("egress")
        for doc in of_kind(docs, "NetworkPolicy")
    )
    if not closed:
        yield "no NetworkPolicy denies by default"
    for doc in of_kind(docs, "Namespace"):
        if doc["metadata"]["labels"].get("pod-security.kubernetes.io/enforce") != "restricted":
            yield f"{title(doc)}: does not enforce the restricted profile"


def _settings(docs: list[Doc]) -> Iterator[str]:
    settings = {f"PACKSHOT_{name.upper()}" for name in Settings.model_fields}
    for doc in of_kind(docs, "ConfigMap"):
        for name in doc["data"]:
            if name.startswith("PACKSHOT_") and name not in settings:
                yield f"{title(doc)}: {name} is no setting"
    priorities = {doc["metadata"]["name"]: doc["value"] for doc in of_kind(docs, "PriorityClass")}
    if not priorities["packshot-live"] > priorities["packshot-bulk"]:
        yield "live work is not above bulk work"
