"""The declarations: conventions, the page made from them, and what a job counts."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from packshot import metrics
from packshot.contract import Lane, Step
from packshot.errors import (
    CorruptImage,
    ModelMissing,
    OutOfMemory,
    PackshotError,
    StorageUnavailable,
)
from packshot.metrics import DECLARED, OBJECTIVES, WORKERS, Declared
from packshot.store.tables import JobStatus
from packshot.telemetry import JsonFormatter, _Bind
from tests.support.line import Line
from tools.metrics import PAGE, page

BY_NAME = [pytest.param(one, id=one.name) for one in DECLARED]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    line = Line(tmp_path)
    yield line
    line.engine.dispose()


class Counted:
    """How much samples grew since this was made: the registry is the process's."""

    def __init__(self) -> None:
        self._before = self._now()

    @staticmethod
    def _now() -> dict[tuple[str, str], float]:
        return {
            (sample.name, json.dumps(sample.labels, sort_keys=True)): sample.value
            for family in WORKERS.collect()
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        key = (name, json.dumps(labels, sort_keys=True))
        return self._now().get(key, 0.0) - self._before.get(key, 0.0)


@pytest.mark.parametrize("one", BY_NAME)
def test_names_follow_the_conventions(one: Declared) -> None:
    assert re.fullmatch(r"packshot_[a-z]+(_[a-z]+)*", one.name)
    assert one.name.endswith("_total") == (one.kind == "counter")
    assert not {"job", "sku", "worker", "source"} & set(one.labels), "a label without bounds"
    assert one.help.endswith(".")
    units = ("seconds", "total", "info")
    assert not any(f"_{unit}_" in one.name for unit in units), "the unit is the last word"


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python tools/metrics.py"


def test_the_page_names_every_metric() -> None:
    assert [one.name for one in DECLARED if f"`{one.name}`" not in page()] == []


@pytest.mark.parametrize("lane", Lane)
def test_an_objective_is_the_edge_of_a_bucket(lane: Lane) -> None:
    assert OBJECTIVES[lane] in metrics.JOB_SECONDS


def test_a_job_counts_each_of_its_steps_once(line: Line) -> None:
    counted = Counted()
    row = line.submit("1")
    for step in Step:
        line.deliver(row, step)
    for step in Step:
        labels = {"step": step.value, "lane": "live"}
        assert counted("packshot_steps_total", **labels, outcome="done") == 1
        assert counted("packshot_step_duration_seconds_count", **labels) == 1
        assert counted("packshot_step_wait_seconds_count", **labels) == 1
        assert counted("packshot_step_attempts_sum", **labels) == 1
    assert counted("packshot_confidence_bucket", step="ocr", le="0.5") == 1
    assert counted("packshot_confidence_bucket", step="ocr", le="0.4") == 0
    assert counted("packshot_jobs_total", lane="live", status="accepted") == 1
    assert counted("packshot_job_duration_seconds_count", lane="live") == 1
    assert counted("packshot_cache_lookups_total", step="ocr", result="miss") == 1


def test_a_known_result_is_a_hit_and_no_work(line: Line) -> None:
    for name in ("1", "2"):
        counted = Counted()
        row = line.submit(name)
        for step in Step:
            line.deliver(row, step)
    assert counted("packshot_cache_lookups_total", step="ocr", result="hit") == 1
    assert counted("packshot_steps_total", step="ocr", lane="live", outcome="reused") == 1
    assert counted("packshot_steps_total", step="ocr", lane="live", outcome="done") == 0


def test_a_repeated_message_is_skipped(line: Line) -> None:
    row = line.submit("1")
    line.deliver(row, Step.PREPARE)
    line.deliver(row, Step.OCR)
    counted = Counted()
    line.deliver(row, Step.PREPARE)
    labels = {"step": "prepare", "lane": "live"}
    assert counted("packshot_steps_total", **labels, outcome="skipped") == 1
    assert counted("packshot_step_wait_seconds_count", **labels) == 0


@pytest.mark.parametrize(
    ("error", "outcome", "status", "retries"),
    [
        pytest.param(CorruptImage("It is."), "failed", "rejected", 0, id="the photo's fault"),
        pytest.param(ModelMissing("Gone."), "failed", "failed", 0, id="our fault"),
        pytest.param(StorageUnavailable("Down."), "again", None, 1, id="it may pass"),
        pytest.param(OutOfMemory("Full."), "failed", "failed", 0, id="alone and full"),
    ],
)
def test_an_error_is_counted_under_its_code(
    line: Line, error: PackshotError, outcome: str, status: str | None, retries: int
) -> None:
    def broken(_: Any) -> None:
        raise error

    line.instead[Step.PREPARE] = broken
    counted = Counted()
    line.deliver(line.submit("1"), Step.PREPARE)
    labels = {"step": "prepare", "lane": "live"}
    assert counted("packshot_step_errors_total", **labels, code=error.code) == 1
    assert counted("packshot_steps_total", **labels, outcome=outcome) == 1
    assert counted("packshot_step_retries_total", **labels, reason="again") == retries
    alone = 1 if isinstance(error, OutOfMemory) else 0
    assert counted("packshot_step_retries_total", **labels, reason="alone") == alone
    for one in ("accepted", "review", "rejected", "failed"):
        assert counted("packshot_jobs_total", lane="live", status=one) == (one == status)
    # Our own failures spend the error budget: they are in the total, not among the fast ones.
    timed = counted("packshot_job_duration_seconds_count", lane="live")
    assert timed == (status == "rejected")


def test_a_review_counts_each_reason(line: Line) -> None:
    line.status = JobStatus.REVIEW
    line.reasons = ({"code": "blurred"}, {"code": "text_unsure"})
    counted = Counted()
    row = line.submit("1")
    for step in Step:
        line.deliver(row, step)
    assert counted("packshot_jobs_total", lane="live", status="review") == 1
    assert counted("packshot_reviews_total", lane="live", reason="blurred") == 1
    assert counted("packshot_reviews_total", lane="live", reason="text_unsure") == 1


def test_a_batch_is_told_by_its_size() -> None:
    counted = Counted()
    metrics.observe_batch("u2netp", 5)
    assert counted("packshot_batch_size_bucket", model="u2netp", le="8.0") == 1
    assert counted("packshot_batch_size_bucket", model="u2netp", le="4.0") == 0


def test_a_step_is_logged_with_job_step_trace_and_action(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caplog.handler.addFilter(_Bind())
    row = line.submit("1", traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    line.deliver(row, Step.PREPARE)
    (record,) = [
        one for one in caplog.records if getattr(one, "bound", {}) and hasattr(one, "action")
    ]
    told = json.loads(JsonFormatter().format(record))
    assert (told["job"], told["step"], told["lane"]) == (str(row), "prepare", "live")
    assert (told["trace"], told["action"], told["reused"]) == ("a" * 32, "step.done", False)
