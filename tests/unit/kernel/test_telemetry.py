"""Logs that name the job."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from packshot.telemetry import bound, configure


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_json_with_the_job_it_is_about(lines: io.StringIO) -> None:
    configure("INFO", "json")
    with bound(job="7", step="ocr"):
        logging.getLogger("tasks").info("read %d lines of %s", 3, "酸奶")
    logging.getLogger("tasks").info("outside")
    inside, outside = map(json.loads, lines.getvalue().splitlines())
    assert (inside["message"], inside["job"], inside["step"]) == (
        "read 3 lines of 酸奶",
        "7",
        "ocr",
    )
    assert inside["level"] == "info"
    assert "job" not in outside


def test_an_exception_stays_on_its_line(lines: io.StringIO) -> None:
    configure("INFO", "json")
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logging.getLogger("tasks").exception("broken")
    (line,) = lines.getvalue().splitlines()
    assert "ZeroDivisionError" in json.loads(line)["exception"]


def test_text_is_for_eyes(lines: io.StringIO) -> None:
    configure("WARNING", "text")
    with bound(job="7"):
        logging.getLogger("tasks").warning("slow")
        logging.getLogger("tasks").info("not shown")
    assert lines.getvalue().endswith("tasks: slow job=7\n")
