"""What the autoscaler asks Prometheus: one source for the manifests, the docs and the tests.

`python -m deploy.monitoring.queries` prints it as JSON. The numbers come from `packshot simulate`.
"""

import json
from dataclasses import asdict, dataclass

from packshot.contract import Step
from workers.roles import ROLES
from workers.simulate.study import DEFAULTS, Tuning


@dataclass(frozen=True, slots=True)
class Trigger:
    """One question; KEDA divides the answer by `threshold`, and the largest wins."""

    query: str
    threshold: float
    #: From zero to one replica above this.
    activation: float
    #: Whether no answer means zero: never for the backlog, which would take the fleet away.
    ignore_null: bool


@dataclass(frozen=True, slots=True)
class Scaled:
    """One Deployment that scales. Times in seconds."""

    name: str
    role: str
    lane: str
    minimum: int
    maximum: int
    cooldown: float
    stabilisation: float
    triggers: tuple[Trigger, ...]


#: Deployments by the name of their folder in deploy/k8s/roles, with role and lane.
_DEPLOYMENTS = {
    f"{name}-{lane}": (role, lane)
    for name, role in {
        "io": "io",
        "models": "gpu",
        "ocr": "ocr",
        "recognition": "recognition",
        "matting": "matting",
    }.items()
    for lane in ("live", "bulk")
}


def scaled() -> tuple[Scaled, ...]:
    """All of them."""
    return tuple(_scaled(name, *found) for name, found in _DEPLOYMENTS.items())


def _scaled(name: str, role: str, lane: str) -> Scaled:
    tuning = DEFAULTS[lane]
    # Somebody has to take messages in, and nobody should wait for a cold start to be told no.
    minimum = 1 if name == "io-live" else tuning.minimum
    triggers = [_backlog(role, lane, tuning)]
    if tuning.utilisation is not None:
        triggers.append(_busy(role, lane, tuning.utilisation))
    return Scaled(
        name,
        role,
        lane,
        minimum,
        tuning.maximum,
        tuning.cooldown,
        tuning.stabilisation,
        tuple(triggers),
    )


def _backlog(role: str, lane: str, tuning: Tuning) -> Trigger:
    # Unread messages may be live ones: they count there.
    lanes = 'lane=~"live|any"' if ROLES[role].intake and lane == "live" else f'lane="{lane}"'
    return Trigger(
        query=f'sum(packshot_role_work_seconds{{role="{role}",{lanes}}})',
        threshold=tuning.target * ROLES[role].concurrency,
        activation=0,
        ignore_null=False,
    )


def _busy(role: str, lane: str, utilisation: float) -> Trigger:
    steps = "|".join(step.value for step in Step if step in ROLES[role].steps)
    series = f'packshot_step_duration_seconds_sum{{step=~"{steps}",lane="{lane}"}}'
    return Trigger(
        query=f"sum(rate({series}[2m]))",
        threshold=utilisation * ROLES[role].concurrency,
        activation=0,
        ignore_null=True,
    )


if __name__ == "__main__":
    print(json.dumps([asdict(one) for one in scaled()], indent=1))  # noqa: T201 - its purpose
