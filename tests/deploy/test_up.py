"""`make up`: from nothing to a finished job, and nothing is left after `make down`."""

import json
import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import psutil
import pytest
import urllib3

from models.registry import Registry
from tests.support.fixtures import need
from tools.up.process import Site

pytestmark = [pytest.mark.services, pytest.mark.models]

ROOT = Path(__file__).resolve().parents[2]


def run(command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        (sys.executable, "-m", "tools.up", command, "--folder", str(folder), "--port", "27100"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def status(address: str, login: str = "") -> int:
    headers = {"Authorization": f"Basic {b64encode(login.encode()).decode()}"} if login else {}
    return int(urllib3.request("GET", address, headers=headers, timeout=10.0, retries=False).status)


@pytest.mark.timeout(600)
def test_up_to_a_finished_job_and_down_again(
    tmp_path: Path, weights: Registry, pytestconfig: pytest.Config
) -> None:
    folder = tmp_path / "up"
    try:
        done = run("up", folder)
        if "is missing" in done.stderr:
            need(pytestconfig, "servers", done.stderr.strip())
        assert done.returncode == 0, done.stderr
        assert re.search(r"first job: (accepted|review) after", done.stdout)
        addresses = dict(re.findall(r"(?m)^  (\w+) +(http://\S+)", done.stdout))
        assert status(addresses["console"] + "/healthz") == 200
        assert status(addresses["exporter"]) == 200
        login = re.findall(r"operator / (\S+)", done.stdout)[0]
        assert status(addresses["Flower"], f"operator:{login}") == 200
        assert status(addresses["Flower"]) == 401
        counts = subprocess.run(
            ("sh", "-c", f". {folder / 'env'}; {sys.executable} -m packshot status make-up --json"),
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        )
        assert sum(json.loads(counts.stdout).values()) == 1
        assert run("up", folder).returncode == 1, "it runs already"
        rows = Site(folder).started()
        logs = {row.name: (folder / "log" / f"{row.name}.log").read_text() for row in rows}
        assert not [name for name, log in logs.items() if "ACCESS_REFUSED" in log]
    finally:
        rows = Site(folder).started()
        ended = run("down", folder)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "", "everything drained"
    assert not folder.exists()
    assert not [row.name for row in rows if row.process()]
    lines = (p.info["cmdline"] or [] for p in psutil.process_iter(["cmdline"]))
    assert not [line for line in lines if str(folder) in " ".join(line)]


def test_down_without_anything_is_harmless(tmp_path: Path) -> None:
    done = run("down", tmp_path / "nothing")
    assert (done.returncode, done.stderr) == (0, "")
