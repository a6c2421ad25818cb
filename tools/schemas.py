"""Write the JSON Schemas of the message contract into docs/schemas, out of the contract's types.

python tools/schemas.py           write them
python tools/schemas.py --check   exit 1 where a file is not what the types say
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from packshot.contract import Event, Job
from packshot.events import DATA

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def job_schema() -> dict[str, Any]:
    """What a producer may send."""
    return {**_head("job.v1"), **Job.model_json_schema()}


def event_schema() -> dict[str, Any]:
    """What a consumer gets; `data` depends on `type`."""
    models: list[type[BaseModel]] = [Event, *dict.fromkeys(DATA.values())]
    names, schema = models_json_schema([(model, "validation") for model in models])
    definitions = schema["$defs"]
    event = definitions.pop("Event")
    event["required"] = ["specversion", *event["required"]]  # CloudEvents wants it, with no default
    cases = [
        {
            "if": {"properties": {"type": {"const": kind.value}}},
            "then": {"properties": {"data": names[model, "validation"]}},
        }
        for kind, model in DATA.items()
    ]
    return {**_head("event.v1"), **event, "allOf": cases, "$defs": definitions}


def files() -> dict[Path, str]:
    """The text of every schema file."""
    schemas = {"job.v1": job_schema(), "event.v1": event_schema()}
    return {
        FOLDER / f"{name}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }


def _head(name: str) -> dict[str, Any]:
    return {"$schema": DIALECT, "$id": f"urn:packshot:{name}"}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing, compare")
    check = parser.parse_args().check
    stale = [
        path
        for path, text in files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if check:
            print(f"{path} is stale: run `python tools/schemas.py`", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files()[path], encoding="utf-8")
            print(f"wrote {path}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
