"""Logs that name the job."""

import json
import logging
from collections.abc import Iterator

import pytest

from packshot.telemetry import bound, configure


@pytest.fixture(autouse=True)
def _own_root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_json_with_the_job_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "json")
    with bound(job="7", step="ocr"):
        logging.getLogger("tasks").info("read %d lines of %s", 3, "酸奶")
    logging.getLogger("tasks").info("outside")
    inside, outside = map(json.loads, capsys.readouterr().err.splitlines())
    assert (inside["message"], inside["job"], inside["step"]) == (
        "read 3 lines of 酸奶",
        "7",
        "ocr",
    )
    assert inside["level"] == "info"
    assert "job" not in outside


def test_an_exception_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "json")
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logging.getLogger("tasks").exception("broken")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ZeroDivisionError" in json.loads(line)["exception"]


def test_text_is_for_eyes(capsys: pytest.CaptureFixture[str]) -> None:
    configure("WARNING", "text")
    with bound(job="7"):
        logging.getLogger("tasks").warning("slow")
        logging.getLogger("tasks").info("not shown")
    assert capsys.readouterr().err.endswith("tasks: slow job=7\n")
