"""`packshot run` in a process of its own: nothing that another test has set up can help it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from workers.samples import photos

pytestmark = pytest.mark.models


def test_a_photo_becomes_a_report_and_an_event(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PACKSHOT_")}
    done = subprocess.run(
        (sys.executable, "-m", "packshot", "run", str(photos()[0]), "-o", str(tmp_path)),
        env=clean,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "report.html").exists()
    (line,) = (tmp_path / "events.jsonl").read_text().splitlines()
    assert json.loads(line)["type"] in {"job.accepted", "job.review_requested"}
