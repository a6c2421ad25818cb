"""Every manifest against its schema; a kind without one is a finding, too."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator

from tests.deploy.manifests import Doc, title

#: The oldest release of Kubernetes that we say we run on.
RELEASE = "1.32"
_SCHEMAS = Path(__file__).parent / "schemas"


def schema_findings(docs: list[Doc]) -> list[str]:
    """What the schemas say, one sentence a problem."""
    return [f"{title(doc)}: {problem}" for doc in docs for problem in _problems(doc)]


def _problems(doc: Doc) -> list[str]:
    own = _validators().get(doc["kind"])
    if own is not None:
        found = [f"{error.json_path}: {error.message}" for error in own.iter_errors(doc)]
        return found + (_scalers(doc) if doc["kind"] == "ScaledObject" else [])
    try:
        kubernetes_validate.validate(doc, RELEASE, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [str(error.message)]
    except kubernetes_validate.SchemaNotFoundError:
        return [f"no schema for {doc['apiVersion']} {doc['kind']}"]
    return []


def _scalers(doc: Doc) -> list[str]:
    """A trigger's metadata is free text to KEDA's own schema: a mistyped key scales nothing."""
    found = []
    for trigger in doc["spec"].get("triggers", []):
        known = _keda()["scalers"].get(trigger["type"])
        if known is None:
            found.append(f"no scaler {trigger['type']}")
            continue
        found += [
            f"{trigger['type']} has no metadata {key}"
            for key, value in trigger["metadata"].items()
            if key.removesuffix("FromEnv") not in known or not isinstance(value, str)
        ]
    return found


@cache
def _keda() -> Any:
    return json.loads((_SCHEMAS / "keda.json").read_text())


@cache
def _validators() -> dict[str, Draft202012Validator]:
    made = {kind: Draft202012Validator(schema) for kind, schema in _keda()["kinds"].items()}
    for kind, part in yaml.safe_load((_SCHEMAS / "operators.yaml").read_text())["kinds"].items():
        made[kind] = Draft202012Validator(
            {
                "type": "object",
                "additionalProperties": False,
                "required": ["apiVersion", "kind", "metadata", "spec"],
                "properties": {
                    "apiVersion": {"const": part["apiVersion"]},
                    "kind": {"const": kind},
                    "metadata": {"type": "object"},
                    "spec": part["spec"],
                },
            }
        )
    return made
