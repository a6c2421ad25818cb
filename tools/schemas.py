"""Write the JSON Schemas of the message contract and its table of error codes into docs.

python tools/schemas.py           write them
python tools/schemas.py --check   exit 1 where a file is not what the types say
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from packshot.contract import Event, Job
from packshot.errors import Outcome, PackshotError
from packshot.events import DATA

DOCS = Path(__file__).resolve().parent.parent / "docs"
FOLDER = DOCS / "schemas"
PAGE = DOCS / "contract.md"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

BEGIN = "<!-- error codes: made by tools/schemas.py -->"
END = "<!-- end of error codes -->"

#: What an outcome means to a producer.
CONSEQUENCE = {
    Outcome.REJECT: "final",
    Outcome.RETRY: "tried again",
    Outcome.FAIL: "fails; an operator may resume it",
    Outcome.DROP: "internal",
}


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


def classes(error: type[PackshotError] = PackshotError) -> Iterator[type[PackshotError]]:
    """The error tree, in the order of its source."""
    yield error
    for one in error.__subclasses__():
        yield from classes(one)


def error_table() -> str:
    """Every error code with its consequence and the first sentence of its class."""
    rows = ["| Code | Then | Meaning |", "|---|---|---|"]
    for error in classes():
        meaning = (error.__doc__ or "").splitlines()[0]
        if error is PackshotError:
            meaning = "A bug in Packshot; the worker's log has the details."
        rows.append(f"| `{error.code}` | {CONSEQUENCE[error.outcome]} | {meaning} |")
    return "\n".join(rows)


def page() -> str:
    """The contract's page with a fresh table of error codes."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{error_table()}\n{END}{after}"


def files() -> dict[Path, str]:
    """The text of every file that is made here."""
    schemas = {"job.v1": job_schema(), "event.v1": event_schema()}
    return {
        PAGE: page(),
        **{
            FOLDER / f"{name}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
            for name, schema in schemas.items()
        },
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
