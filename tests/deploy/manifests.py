"""What `kubectl kustomize` makes of our overlays, as data."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
K8S = ROOT / "deploy" / "k8s"
OVERLAYS = tuple(sorted(folder.name for folder in (K8S / "overlays").iterdir()))

#: One manifest as kubectl prints it.
Doc = dict[str, Any]


def kubectl() -> str | None:
    """The program: beside our Python, else on PATH."""
    beside = Path(sys.executable).parent / "kubectl"
    return str(beside) if beside.exists() else shutil.which("kubectl")


def render(program: str, folder: Path) -> str:
    """The text of one overlay. Raises what kubectl says."""
    done = subprocess.run(
        (program, "kustomize", str(folder)), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout


def load(text: str) -> list[Doc]:
    """The manifests of a text."""
    return [doc for doc in yaml.safe_load_all(text) if doc]


def title(doc: Doc) -> str:
    """How a finding names a manifest."""
    return f"{doc['kind']}/{doc['metadata']['name']}"


@dataclass(frozen=True, slots=True)
class Pod:
    """What a Deployment or a Job makes."""

    owner: str
    labels: dict[str, str]
    spec: Doc
    replaceable: bool

    @property
    def containers(self) -> list[Doc]:
        """All of them, those that run first included."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def ports(self) -> dict[str, int]:
        """Named ports."""
        rows = (port for one in self.spec["containers"] for port in one.get("ports", []))
        return {port["name"]: port["containerPort"] for port in rows}


def pods(docs: list[Doc]) -> list[Pod]:
    """Every pod template of ours."""
    return [
        Pod(
            title(doc),
            doc["spec"]["template"]["metadata"]["labels"],
            doc["spec"]["template"]["spec"],
            doc["kind"] == "Deployment",
        )
        for doc in docs
        if doc["kind"] in {"Deployment", "Job"}
    ]


def foreign_labels(docs: list[Doc]) -> list[dict[str, str]]:
    """Labels of the pods that operators make out of our resources."""
    found = []
    for doc in docs:
        if doc["kind"] == "RabbitmqCluster":
            found.append({"app.kubernetes.io/name": doc["metadata"]["name"]})
        if doc["kind"] == "Cluster":
            found.append({"cnpg.io/cluster": doc["metadata"]["name"]})
    return found


def selects(selector: Doc, labels: dict[str, str]) -> bool:
    """Whether a label selector (matchLabels only) takes these labels."""
    wanted: dict[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()


def environment(container: Doc) -> dict[str, Doc]:
    """A container's variables by name, in their order."""
    return {row["name"]: row for row in container.get("env", [])}


def of_kind(docs: list[Doc], *kinds: str) -> Iterator[Doc]:
    """The manifests of these kinds."""
    return (doc for doc in docs if doc["kind"] in kinds)
