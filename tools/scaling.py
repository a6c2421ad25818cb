"""Write the ScaledObjects of deploy/k8s/components/keda: `python -m tools.scaling`.

The questions and numbers are those of deploy/monitoring/queries.py, which the simulator chose.
"""

from pathlib import Path

import yaml

from deploy.monitoring.queries import Scaled, scaled
from packshot.contract import INTAKE_QUEUES, Lane, queue_name
from workers.roles import ROLES

KEDA = Path(__file__).resolve().parent.parent / "deploy" / "k8s" / "components" / "keda"
PROMETHEUS = "http://prometheus-operated.monitoring.svc:9090"
#: Which component scales which Deployments: by the beginning of their names.
PARTS = {
    "io": ("io",),
    "models-together": ("models",),
    "models-apart": ("ocr", "recognition", "matting"),
}
#: Messages per replica in the fallback, which knows no costs: coarse, so that it seldom decides.
MESSAGES = {Lane.LIVE: 50, Lane.BULK: 5000}
HEAD = """\
# Written by tools/scaling.py from deploy/monitoring/queries.py. The first triggers measure work.
# Those of type rabbitmq count messages: a coarse fallback for when Prometheus is away.
"""


def render(part: str) -> str:
    """One component's ScaledObjects."""
    mine = (one for one in scaled() if one.name.rpartition("-")[0] in PARTS[part])
    return HEAD + yaml.safe_dump_all(map(_scaled_object, mine), sort_keys=False, width=100)


def _scaled_object(one: Scaled) -> dict[str, object]:
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": f"worker-{one.name}"},
        "spec": {
            "scaleTargetRef": {"name": f"worker-{one.name}"},
            "pollingInterval": 10,
            "cooldownPeriod": int(one.cooldown),
            "minReplicaCount": one.minimum,
            "maxReplicaCount": one.maximum,
            # Nobody answers: keep what there is, and at least one.
            "fallback": {
                "failureThreshold": 3,
                "replicas": 1,
                "behavior": "currentReplicasIfHigher",
            },
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behaviour(one)}},
            "triggers": [*_measured(one), *_counted(one)],
        },
    }


def _behaviour(one: Scaled) -> dict[str, object]:
    """Up at once; down slowly, since loading a model again costs more than a quiet minute.

    A worker that goes drains, and what it cannot finish goes back: scaling in loses no work.
    """
    return {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [
                {"type": "Percent", "value": 100, "periodSeconds": 15},
                {"type": "Pods", "value": 4, "periodSeconds": 15},
            ],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": int(one.stabilisation),
            "policies": [{"type": "Percent", "value": 50, "periodSeconds": 60}],
        },
    }


def _measured(one: Scaled) -> list[dict[str, object]]:
    return [
        {
            "type": "prometheus",
            "metricType": "AverageValue",
            "metadata": {
                "serverAddress": PROMETHEUS,
                "query": trigger.query,
                "threshold": f"{trigger.threshold:g}",
                "activationThreshold": f"{trigger.activation:g}",
                "ignoreNullValues": "true" if trigger.ignore_null else "false",
            },
        }
        for trigger in one.triggers
    ]


def _counted(one: Scaled) -> list[dict[str, object]]:
    lane, role = Lane(one.lane), ROLES[one.role]
    queues = [queue_name(step, lane) for step in role.steps]
    if role.intake and lane is Lane.LIVE:
        queues = [*INTAKE_QUEUES.values(), *queues]
    return [
        {
            "type": "rabbitmq",
            "metadata": {
                "protocol": "http",
                "queueName": queue,
                "mode": "QueueLength",
                "value": str(MESSAGES[lane]),
            },
            "authenticationRef": {"name": "packshot-rabbitmq"},
        }
        for queue in queues
    ]


def main() -> None:
    """Write them all."""
    for part in PARTS:
        (KEDA / part / "scaling.yaml").write_text(render(part))


if __name__ == "__main__":
    main()
