"""What the Dockerfile runs, run here: in a scratch root, then used as an image would be."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fixtures import need

ROOT = Path(__file__).resolve().parents[2]
STEPS = ROOT / "deploy" / "docker" / "build-steps.sh"
SAMPLES = ROOT / "workers" / "samples"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Path]:
    """The finished /opt/packshot of the target `cpu`."""
    root = tmp_path_factory.mktemp("image")
    for step in (("install", "openvino"), ("weights",), ("slim", "openvino")):
        done = subprocess.run(
            ("sh", str(STEPS), step[0], str(root), *step[1:]),
            cwd=ROOT,
            env={**os.environ, "PIP_NO_INPUT": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode and "onnection" in done.stderr:
            need(pytestconfig, "package index", done.stderr[-300:])
        assert done.returncode == 0, done.stderr[-2000:]
    yield root
    shutil.rmtree(root)


def test_processes_a_photo_on_a_read_only_file_system(image: Path, tmp_path: Path) -> None:
    before = sorted(image.rglob("*"))
    subprocess.run(("chmod", "-R", "a-w", str(image)), check=True)
    # Permissions mean nothing to root until its capabilities are gone.
    powerless = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
    photo = min(SAMPLES.glob("*.jpg"))
    packshot = str(image / "venv/bin/packshot")
    try:
        done = subprocess.run(
            (*powerless, packshot, "run", str(photo), "-o", str(tmp_path), "--json", "-c", "1"),
            cwd=tmp_path,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": "/nonexistent",
                "PACKSHOT_MODELS": str(image / "models"),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    finally:
        subprocess.run(("chmod", "-R", "u+w", str(image)), check=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["status"] in {"accepted", "review"}
    assert sorted(image.rglob("*")) == before


@pytest.mark.parametrize("name", ["pip", "hatchling", "editables", "tomlkit", "setuptools"])
def test_leaves_no_way_to_install(image: Path, name: str) -> None:
    assert not list(image.glob(f"venv/lib/python3*/site-packages/{name}"))


def test_leaves_no_compiler_and_no_source_tree(image: Path) -> None:
    names = {path.name for path in (image / "venv" / "bin").iterdir()}
    assert not names & {"gcc", "cc", "make", "ninja", "cmake"}
    assert sorted(path.name for path in image.iterdir()) == ["models", "venv"]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import packshot.console.app", id="console"),
        pytest.param("import workers.exporter.server", id="exporter"),
        pytest.param(
            "from workers.database import migrations; assert any(migrations().rglob('0001*'))",
            id="migrations",
        ),
    ],
)
def test_brings_what_the_other_containers_run(image: Path, tmp_path: Path, code: str) -> None:
    python = str(image / "venv/bin/python")
    subprocess.run((python, "-I", "-c", code), cwd=tmp_path, check=True)


def test_flower_needs_no_runtime_for_models() -> None:
    """Its image is made from a lock without one."""
    none = "sys.modules['onnxruntime'] = sys.modules['openvino'] = None"
    code = f"import sys; {none}; import workers.app"
    subprocess.run((sys.executable, "-c", code), cwd=ROOT, check=True)


def test_refuses_an_unknown_step(tmp_path: Path) -> None:
    done = subprocess.run(
        ("sh", str(STEPS), "polish", str(tmp_path)), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no step polish" in done.stderr
