"""docs/contract.md says what the code does: its examples, tables, names and limits."""

import json
import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from packshot import contract
from packshot.contract import Event, EventType, Job, Output
from packshot.errors import PackshotError
from packshot.events import data_of
from packshot.policy import FIELDS
from packshot.routing import AUDIT, NO_TEXT, REVIEW_SIGNALS
from packshot.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
JOBS = [example for example in EXAMPLES if "version" in example]
EVENTS = [example for example in EXAMPLES if "specversion" in example]


def schema(name: str) -> Draft202012Validator:
    path = ROOT / "docs" / "schemas" / f"{name}.schema.json"
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


def table(header: str) -> list[list[str]]:
    """The cells of the table with this header, row by row."""
    _, found, rest = PAGE.partition(f"{header}\n")
    assert found, header
    rows = rest.split("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def field_tables() -> list[list[list[str]]]:
    """The tables of fields, in the order of the page."""
    pieces = PAGE.split("| Field | Default | What it says |\n")[1:]
    return [
        [[cell.strip() for cell in row.strip("|").split("|")] for row in piece.split("\n\n")[0]
         .splitlines()[1:]]
        for piece in pieces
    ]  # fmt: skip


def default(model: type[BaseModel], field: str, **others: Any) -> Any:
    if model.model_fields[field].is_required():
        return "required"
    value = model(**others).model_dump(mode="json", exclude_defaults=False)[field]
    if field == "outputs":
        return [{"name": one["name"]} for one in value]
    return value


def test_every_example_is_a_job_or_an_event() -> None:
    assert len(JOBS) >= 2
    assert len(JOBS) + len(EVENTS) == len(EXAMPLES)


@pytest.mark.parametrize("number", range(len(JOBS)))
def test_an_example_of_a_job_can_be_sent(number: int) -> None:
    Job.parse(json.dumps(JOBS[number]))
    schema("job.v1").validate(JOBS[number])


def test_one_example_shows_every_field() -> None:
    full = max(JOBS, key=len)
    assert set(full) == set(Job.model_fields)
    assert {name for output in full["outputs"] for name in output} == set(Output.model_fields)


@pytest.mark.parametrize("kind", list(EventType))
def test_every_type_of_event_has_one_example(kind: EventType) -> None:
    (example,) = [one for one in EVENTS if one["type"] == kind]
    event = Event.model_validate(example)
    assert data_of(event).model_dump(mode="json", exclude_unset=True) == example["data"]
    schema("event.v1").validate(example)
    assert f"### {kind}" in PAGE
    assert any(row[0] == f"`{kind}`" for row in table("| Type | When |"))


@pytest.mark.parametrize(
    ("number", "model", "others"),
    [
        pytest.param(
            0,
            Job,
            {"version": 1, "source": "s", "job_id": "1", "image": {"uri": "x"}},
            id="job",
        ),
        pytest.param(1, Output, {"name": "a"}, id="output"),
    ],
)
def test_the_table_of_fields_has_every_field_with_its_default(
    number: int, model: type[BaseModel], others: dict[str, Any]
) -> None:
    rows = field_tables()[number]
    names = [row[0].strip("`") for row in rows]
    assert sorted(names) == sorted(model.model_fields)
    for name, row in zip(names, rows, strict=True):
        cell = row[1].strip("`")
        told = cell if cell == "required" else json.loads(cell)
        assert told == default(model, name, **others), name


def test_every_error_code_is_told() -> None:
    told = [row[0].strip("`") for row in table("| Code | Then | Meaning |")[:-1]]
    waiting, codes = [PackshotError], set()
    while waiting:
        error = waiting.pop()
        codes.add(error.code)
        waiting += error.__subclasses__()
    assert set(told) >= {code for code in codes if code.isidentifier()} - {"test"}
    assert len(told) == len(set(told))


def test_every_reason_for_a_review_is_told() -> None:
    told = set(re.findall(r"`(\w+)`", " ".join(row[0] for row in table("| Code | Why |"))))
    others = {*(f"{field}_unsure" for field in FIELDS), NO_TEXT, "requested", AUDIT.code}
    assert told == REVIEW_SIGNALS | others


def test_the_names_are_those_of_the_code() -> None:
    told = {row[0].strip("`"): row[1] for row in table("| Name | What | For you |")}
    assert told == {
        contract.EXCHANGE: "topic exchange",
        contract.EVENTS_EXCHANGE: "topic exchange",
        contract.INTAKE_QUEUE: "queue",
        contract.LIVE_INTAKE_QUEUE: "queue",
        contract.REVIEW_QUEUE: "queue",
        contract.REJECTED_QUEUE: "queue",
        contract.DEAD_QUEUE: "queue",
    }
    for key in contract.INTAKE_QUEUES:
        assert f"`{key}`" in PAGE


def test_the_limits_are_those_of_the_code() -> None:
    told = dict(row for row in table("| What | Limit |"))
    settings = Settings.load()
    assert told["One message"] == f"{contract.MAX_MESSAGE_BYTES:,} bytes"
    assert told["`image.uri`"].startswith(f"{contract.MAX_DATA_URI:,} characters")
    assert told["Outputs of one job"] == str(contract.MAX_OUTPUTS)
    assert f"{settings.max_bytes // 1024**2} MiB" in told["A photo"]
    assert f"{settings.max_pixels // 10**6} megapixels" in told["A photo"]
    assert told["A queue"].startswith(f"{settings.queue_limit:,} messages")


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", PAGE))))
def test_a_link_leads_somewhere(link: str) -> None:
    if link.startswith("#"):
        headings = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
        assert link[1:] in [heading.lower().replace(" ", "-") for heading in headings]
    elif not link.startswith("https://"):
        assert (ROOT / "docs" / link).exists()


@pytest.fixture
def generator() -> ModuleType:
    spec = spec_from_file_location("schemas_tool", ROOT / "tools" / "schemas.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_generated_is_fresh(generator: ModuleType) -> None:
    stale = [
        path.name
        for path, text in generator.files().items()
        if path.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run `python tools/schemas.py`"


def test_the_generator_writes_and_checks(
    generator: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = tmp_path / "contract.md"
    page.write_text(f"before\n{generator.BEGIN}\nold\n{generator.END}\nafter\n", encoding="utf-8")
    monkeypatch.setattr(generator, "PAGE", page)
    monkeypatch.setattr(generator, "FOLDER", tmp_path / "schemas")
    monkeypatch.setattr(sys, "argv", ["schemas.py", "--check"])
    assert generator.main() == 1
    assert capsys.readouterr().err.count("is stale") == 3
    assert not (tmp_path / "schemas").exists()
    monkeypatch.setattr(sys, "argv", ["schemas.py"])
    assert generator.main() == 0
    monkeypatch.setattr(sys, "argv", ["schemas.py", "--check"])
    assert generator.main() == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith(f"{generator.END}\nafter\n")
    assert "`conflict`" in text
