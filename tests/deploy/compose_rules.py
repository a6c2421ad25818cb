"""Rules for the compose file that its schema does not know."""

import re
from collections.abc import Iterator
from typing import Any

from packshot.settings import Settings
from tests.deploy.manifest_rules import DRAIN_OVERHEAD, OTHER, command_problems

Service = dict[str, Any]
_SECRET = re.compile(r"PASS|SECRET|KEY|AUTH")


def compose_findings(services: dict[str, Service], defined: set[str]) -> list[str]:
    """What is wrong, one sentence each; `defined` are the variables of the .env file."""
    found = []
    for name, service in services.items():
        told = (
            *_dependencies(service, services),
            *_environment(service, defined),
            *_container(service),
            *command_problems(service.get("command", [])),
        )
        found += [f"{name}: {problem}" for problem in told]
    return found


def _dependencies(service: Service, services: dict[str, Service]) -> Iterator[str]:
    for other, row in service.get("depends_on", {}).items():
        if other not in services:
            yield f"waits for {other}, which is not there"
        elif row["condition"] == "service_healthy" and "healthcheck" not in services[other]:
            yield f"waits for {other} to be healthy, which nobody checks"
        elif row["condition"] == "service_completed_successfully" and "restart" in services[other]:
            yield f"waits for {other} to end, which is started again"
        elif row["condition"] == "service_started":
            yield f"does not wait until {other} is ready"


def _environment(service: Service, defined: set[str]) -> Iterator[str]:
    settings = {f"PACKSHOT_{name.upper()}" for name in Settings.model_fields}
    for name, value in service.get("environment", {}).items():
        if name.startswith("PACKSHOT_") and name not in settings | OTHER:
            yield f"{name} is no setting"
        if re.search(r"://[^/@:]*:(?!\$\{)[^/@]+@", value) or (
            _SECRET.search(name) and "${" not in value
        ):
            yield f"{name} has a secret in clear"
        for variable in re.findall(r"\$\{(\w+)", value):
            if variable not in defined:
                yield f"nobody sets {variable}"
        if re.search(r"\$\{\w+\}", value):
            yield f"{name} would silently be empty"


def _container(service: Service) -> Iterator[str]:
    if not re.search(r":[\w.-]*\d[\w.-]*$", service["image"]) or ":latest" in service["image"]:
        yield f"the image {service['image']} has no release"
    for port in service.get("ports", []):
        if not port.startswith("127.0.0.1:"):
            yield f"port {port} is open to the network"
    if "restart" in service and "healthcheck" not in service:
        yield "nobody checks its health"
    if service.get("command", [])[:1] == ["worker"]:
        drain = Settings.model_fields["drain_seconds"].default
        grace = float(service.get("stop_grace_period", "10s").removesuffix("s"))
        if grace < drain + DRAIN_OVERHEAD:
            yield f"is killed after {grace:g} s, before it has drained"
    if service["image"].startswith("packshot:") and not service.get("read_only"):
        yield "may write to its image"
