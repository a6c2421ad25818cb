"""What manifests say of each other: every used name is there, every selector finds a pod."""

from collections import Counter
from collections.abc import Iterator

from tests.deploy.manifests import Doc, Pod, foreign_labels, of_kind, pods, selects, title


def link_findings(docs: list[Doc], secrets: dict[str, set[str]]) -> list[str]:
    """Broken references, one sentence each; `secrets` are people's, with their keys."""
    return [
        *_deployments(docs),
        *_selectors(docs),
        *_services(docs),
        *_ingresses(docs),
        *_scaled(docs),
        *_references(docs, secrets),
        *_classes_and_accounts(docs),
        *_policies(docs),
    ]


def _deployments(docs: list[Doc]) -> Iterator[str]:
    made = pods(docs)
    for doc in of_kind(docs, "Deployment"):
        selector = doc["spec"]["selector"]
        taken = [pod.owner for pod in made if selects(selector, pod.labels)]
        if taken != [title(doc)]:
            yield f"{title(doc)}: its selector takes the pods of {taken}"


def _selectors(docs: list[Doc]) -> Iterator[str]:
    labels = [pod.labels for pod in pods(docs)] + foreign_labels(docs)
    for doc in of_kind(docs, "PodDisruptionBudget", "NetworkPolicy", "PodMonitor"):
        selector = doc["spec"].get("selector") or doc["spec"].get("podSelector") or {}
        if not any(selects(selector, one) for one in labels):
            yield f"{title(doc)}: selects no pod"
    services = [doc["metadata"].get("labels", {}) for doc in of_kind(docs, "Service")]
    for doc in of_kind(docs, "ServiceMonitor"):
        if not any(selects(doc["spec"]["selector"], one) for one in services):
            yield f"{title(doc)}: selects no service"


def _services(docs: list[Doc]) -> Iterator[str]:
    for doc in of_kind(docs, "Service"):
        found = [
            p for p in pods(docs) if selects({"matchLabels": doc["spec"]["selector"]}, p.labels)
        ]
        if not found:
            yield f"{title(doc)}: selects no pod"
        for port in doc["spec"]["ports"]:
            if any(port["targetPort"] not in pod.ports for pod in found):
                yield f"{title(doc)}: no pod has a port {port['targetPort']}"


def _ingresses(docs: list[Doc]) -> Iterator[str]:
    ports = {
        (doc["metadata"]["name"], port["name"])
        for doc in of_kind(docs, "Service")
        for port in doc["spec"]["ports"]
    }
    for doc in of_kind(docs, "Ingress"):
        for rule in doc["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                if (service["name"], service["port"]["name"]) not in ports:
                    yield f"{title(doc)}: no service {service['name']} with that port"


def _scaled(docs: list[Doc]) -> Iterator[str]:
    deployments = {doc["metadata"]["name"]: doc for doc in of_kind(docs, "Deployment")}
    logins = {doc["metadata"]["name"] for doc in of_kind(docs, "TriggerAuthentication")}
    targets = Counter(
        doc["spec"]["scaleTargetRef"]["name"] for doc in of_kind(docs, "ScaledObject")
    )
    for doc in of_kind(docs, "ScaledObject"):
        name = doc["spec"]["scaleTargetRef"]["name"]
        if name not in deployments:
            yield f"{title(doc)}: there is no Deployment {name}"
        elif "replicas" in deployments[name]["spec"]:
            yield f"{title(doc)}: Deployment {name} has a number of replicas of its own"
        if targets[name] > 1:
            yield f"{title(doc)}: {name} is scaled twice"
        for trigger in doc["spec"]["triggers"]:
            login = trigger.get("authenticationRef", {}).get("name")
            if login and login not in logins:
                yield f"{title(doc)}: there is no TriggerAuthentication {login}"


def _references(docs: list[Doc], secrets: dict[str, set[str]]) -> Iterator[str]:
    maps = {doc["metadata"]["name"]: set(doc["data"]) for doc in of_kind(docs, "ConfigMap")}
    claims = {doc["metadata"]["name"] for doc in of_kind(docs, "PersistentVolumeClaim")}
    for owner, kind, name, key in _used(docs):
        known = secrets if kind == "Secret" else maps
        if kind == "PersistentVolumeClaim":
            if name not in claims:
                yield f"{owner}: there is no claim {name}"
        elif name not in known:
            yield f"{owner}: there is no {kind} {name}"
        elif key is not None and key not in known[name]:
            yield f"{owner}: {kind} {name} has no key {key}"


def _used(docs: list[Doc]) -> Iterator[tuple[str, str, str, str | None]]:
    """Who uses which Secret, ConfigMap or claim, and which key of it."""
    for pod in pods(docs):
        for kind, name, key in _variables(pod):
            yield pod.owner, kind, name, key
        for kind, name in _volumes(pod):
            yield pod.owner, kind, name, None
    for doc in of_kind(docs, "TriggerAuthentication"):
        for row in doc["spec"]["secretTargetRef"]:
            yield title(doc), "Secret", row["name"], row["key"]
    for doc in of_kind(docs, "Cluster"):
        yield title(doc), "Secret", doc["spec"]["bootstrap"]["initdb"]["secret"]["name"], None
    for doc in of_kind(docs, "Ingress"):
        yield title(doc), "Secret", doc["spec"]["tls"][0]["secretName"], None


def _volumes(pod: Pod) -> Iterator[tuple[str, str]]:
    for volume in pod.spec.get("volumes", []):
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
        if "persistentVolumeClaim" in volume:
            yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]


def _variables(pod: Pod) -> Iterator[tuple[str, str, str | None]]:
    for row in (row for container in pod.containers for row in container.get("env", [])):
        source = row.get("valueFrom", {})
        for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            if field in source:
                yield kind, source[field]["name"], source[field]["key"]
    for row in (row for container in pod.containers for row in container.get("envFrom", [])):
        yield "ConfigMap", row["configMapRef"]["name"], None


def _classes_and_accounts(docs: list[Doc]) -> Iterator[str]:
    classes = {doc["metadata"]["name"] for doc in of_kind(docs, "PriorityClass")}
    accounts = {doc["metadata"]["name"]: doc for doc in of_kind(docs, "ServiceAccount")}
    for pod in pods(docs):
        wanted = pod.spec.get("priorityClassName")
        if wanted is not None and wanted not in classes:
            yield f"{pod.owner}: there is no PriorityClass {wanted}"
        account = pod.spec.get("serviceAccountName", "default")
        if account not in accounts:
            yield f"{pod.owner}: there is no ServiceAccount {account}"
    for doc in accounts.values():
        if doc.get("automountServiceAccountToken") is not False:
            yield f"{title(doc)}: mounts a token"


def _policies(docs: list[Doc]) -> Iterator[str]:
    made, foreign = pods(docs), foreign_labels(docs)
    for doc in of_kind(docs, "NetworkPolicy"):
        for direction in ("ingress", "egress"):
            for rule in doc["spec"].get(direction, []):
                for peer in (*rule.get("from", []), *rule.get("to", [])):
                    selector = peer.get("podSelector")
                    if selector is None or "namespaceSelector" in peer:
                        continue
                    if not any(selects(selector, x) for x in (*(p.labels for p in made), *foreign)):
                        yield f"{title(doc)}: {direction} names pods that there are not"
                yield from _named_ports(doc, direction, rule, made)


def _named_ports(doc: Doc, direction: str, rule: Doc, made: list[Pod]) -> Iterator[str]:
    """A named port is one of the receiving pods'."""
    if direction == "ingress":
        receivers = [p for p in made if selects(doc["spec"]["podSelector"], p.labels)]
    else:
        peers = [peer["podSelector"] for peer in rule.get("to", []) if "podSelector" in peer]
        receivers = [p for p in made if any(selects(peer, p.labels) for peer in peers)]
    for port in rule.get("ports", []):
        name = port["port"]
        if isinstance(name, str) and any(name not in pod.ports for pod in receivers):
            yield f"{title(doc)}: a pod has no port {name}"
