"""`packshot models` as a person sees it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from models import commands
from models.manifest import load_manifest
from tests.support.tiny_weights import tiny_bytes

MANIFEST = """
[[model]]
name = "{name}"
task = "matting"
version = "1"
licence = "{licence}"
licence_url = "https://example.org"
commercial = {commercial}
default = {default}
homepage = "https://example.org"
{pin}
input = {{ shape = [1, 3, 8, 8], order = "RGB", scale = 1.0, mean = [0, 0, 0], std = [1, 1, 1] }}
sources = [ {{ kind = "path", path = "{path}" }} ]
"""


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """`run("pull", ...)` on a manifest with a default, an unpinned and a non-commercial model."""
    path = tmp_path / "tiny.onnx"
    path.write_bytes(tiny_bytes())
    pin = f'sha256 = "{hashlib.sha256(tiny_bytes()).hexdigest()}"'
    rows = [
        {"name": "basic", "default": "true", "commercial": "true", "pin": pin},
        {"name": "loose", "default": "false", "commercial": "true", "pin": ""},
        {"name": "academic", "default": "false", "commercial": "false", "pin": pin},
    ]
    text = "".join(MANIFEST.format(licence="MIT", path=path, **row) for row in rows)
    (tmp_path / "manifest.toml").write_text(text, "utf-8")
    place = ["--cache", str(tmp_path / "cache"), "--manifest", str(tmp_path / "manifest.toml")]

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(commands.models, [*place, *arguments])

    return invoke


def present(run: Any) -> set[str]:
    rows = json.loads(run("list", "--json").stdout)
    return {row["name"] for row in rows if row["present"]}


@pytest.mark.parametrize(
    ("options", "there"),
    [
        pytest.param([], {"basic"}, id="the default ones"),
        pytest.param(["loose", "--trust-on-first-use"], {"loose"}, id="one by name"),
        pytest.param(["--all"], {"basic"}, id="all that need no word"),
        pytest.param(["--all", "--allow-noncommercial"], {"basic", "academic"}, id="and academic"),
        pytest.param(
            ["--all", "--allow-noncommercial", "--trust-on-first-use"],
            {"basic", "academic", "loose"},
            id="everything",
        ),
    ],
)
def test_pull_brings_what_was_asked_for(run: Any, options: list[str], there: set[str]) -> None:
    result = run("pull", *options)

    assert result.exit_code == 0, result.output
    assert f"{len(there)} models ready ({len(there)} new" in result.stdout
    assert present(run) == there


def test_pull_says_each_step_once_where_nobody_watches(run: Any) -> None:
    assert run("pull").stderr.splitlines() == [
        "basic: checking",
        "basic: preparing",
        "basic: pulled",
    ]
    assert run("pull").stderr.splitlines() == ["basic: checking", "basic: already there"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["pull", "academic"], "--allow-noncommercial", id="non-commercial"),
        pytest.param(["pull", "loose"], "--trust-on-first-use", id="unpinned"),
        pytest.param(["pull", "nothing"], "no model called 'nothing'", id="unknown"),
        pytest.param(["verify"], "packshot models pull basic", id="missing"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run: Any, arguments: list[str], says: str) -> None:
    result = run(*arguments)

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert says in result.stderr
    assert "Traceback" not in result.output


def test_a_bad_option_is_a_usage_error(run: Any) -> None:
    assert run("pull", "--fast").exit_code == 2


def test_verify_finds_damage_and_pull_mends_it(run: Any, tmp_path: Path) -> None:
    run("pull")
    assert run("verify").exit_code == 0
    (model,) = (tmp_path / "cache").glob("basic/*/model.onnx")
    model.write_bytes(b"damaged")

    result = run("verify")

    assert result.exit_code == 1
    assert result.stdout.split() == ["damaged", "basic"]
    assert "1 new" in run("pull").stdout
    assert run("verify").exit_code == 0


def test_list_shows_every_model_that_ships(tmp_path: Path) -> None:
    result = CliRunner().invoke(commands.models, ["--cache", str(tmp_path), "list"])

    assert result.exit_code == 0
    for entry in load_manifest().entries:
        assert entry.name in result.stdout
