"""The trace of one job: one tree from the producer's span to the event, whoever did the parts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from packshot.contract import Step
from packshot.errors import ConfigurationError, CorruptImage
from packshot.identity import uuid7
from packshot.otel import OtelTracing
from packshot.settings import Settings
from packshot.tracing import NoTracing, context, current
from tests.support.line import Line
from workers import monitoring

PRODUCER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
UNWANTED = PRODUCER[:-2] + "00"


class Traced:
    """Two processes that share a ledger and send their spans to one place."""

    def __init__(self, folder: Path, ratio: float) -> None:
        self.memory = InMemorySpanExporter()
        self.tracings = [
            OtelTracing(SimpleSpanProcessor(self.memory), worker=name, ratio=ratio)
            for name in ("w1", "w2")
        ]
        self.lines = [Line(folder, tracing) for tracing in self.tracings]

    def run(self, name: str, traceparent: str | None) -> UUID:
        """Take a job in, run each step in a thread and process of its own, publish its event."""
        row = self.lines[0].submit(name, traceparent=traceparent)
        self.tracings[0].intake(row, traceparent, 1_700_000_000.0)
        for at, step in enumerate(Step):
            with ThreadPoolExecutor(1) as pool:
                pool.submit(self.lines[at % 2].deliver, row, step).result()
        for event in self.lines[1].events():
            with self.tracings[1].event(event["type"], event):
                pass
        return row

    def spans(self) -> dict[str, ReadableSpan]:
        found = self.memory.get_finished_spans()
        assert len({span.name for span in found}) == len(found)
        return {span.name: span for span in found}


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[Traced]:
    traced = Traced(tmp_path, ratio=1.0)
    yield traced
    for line, tracing in zip(traced.lines, traced.tracings, strict=True):
        tracing.close()
        line.engine.dispose()


def ids(span: ReadableSpan) -> tuple[str, str, str | None]:
    """Trace, span and parent."""
    own = span.get_span_context()
    assert own is not None
    parent = f"{span.parent.span_id:016x}" if span.parent else None
    return f"{own.trace_id:032x}", f"{own.span_id:016x}", parent


@pytest.mark.parametrize(
    ("traceparent", "producer"),
    [
        pytest.param(PRODUCER, "00f067aa0ba902b7", id="the producer's trace"),
        pytest.param(None, None, id="a trace of our own"),
        pytest.param("00-0-0-0", None, id="a traceparent that is none"),
    ],
)
def test_all_parts_of_a_job_hang_together(
    traced: Traced, traceparent: str | None, producer: str | None
) -> None:
    row = traced.run("1", traceparent)
    spans = traced.spans()
    assert set(spans) == {"job", "intake", "event", *Step}
    expected = context(row, traceparent).trace
    if producer:
        assert expected == PRODUCER.split("-")[1]
    assert {ids(span)[0] for span in spans.values()} == {expected}
    _, job_span, above = ids(spans["job"])
    assert above == producer
    for name in ("intake", *Step):
        assert ids(spans[name])[2] == job_span, name
    assert ids(spans["event"])[2] == ids(spans[Step.FINISH])[1]


def test_a_span_names_job_step_and_attempt(traced: Traced) -> None:
    row = traced.run("1", PRODUCER)
    told = dict(traced.spans()[Step.OCR].attributes or {})
    assert told["packshot.job"] == str(row)
    assert (told["packshot.step"], told["packshot.attempt"]) == ("ocr", 1)
    assert (told["packshot.source"], told["packshot.job_id"]) == ("tests", "1")
    assert told["packshot.reused"] is False


def test_a_failure_is_in_the_span_and_ends_the_job(traced: Traced) -> None:
    def broken(_: Any) -> None:
        raise CorruptImage("Half of it is missing.")

    row = traced.lines[0].submit("1", traceparent=PRODUCER)
    traced.lines[0].instead[Step.PREPARE] = broken
    traced.lines[0].deliver(row, Step.PREPARE)
    spans = traced.spans()
    assert spans["prepare"].status.status_code is StatusCode.ERROR
    assert (spans["prepare"].attributes or {})["error.type"] == "corrupt_image"
    assert (spans["job"].attributes or {})["packshot.status"] == "rejected"


def test_the_event_carries_the_span_that_wrote_it(traced: Traced) -> None:
    row = traced.lines[0].submit("1", traceparent=PRODUCER)
    for step in Step:
        traced.lines[0].deliver(row, step)
    (event,) = traced.lines[0].events()
    trace, span, _ = ids(traced.spans()[Step.FINISH])
    assert event["traceparent"] == f"00-{trace}-{span}-01"
    assert current() is None


def test_what_the_producer_does_not_want_is_not_kept(traced: Traced) -> None:
    traced.run("1", UNWANTED)
    assert traced.spans() == {}


def test_a_share_of_the_other_jobs_is_kept_as_a_whole(tmp_path: Path) -> None:
    traced = Traced(tmp_path, ratio=0.5)
    rows = [traced.run(f"{at}", None) for at in range(24)]
    kept: dict[str, int] = {}
    for span in traced.memory.get_finished_spans():
        kept[ids(span)[0]] = kept.get(ids(span)[0], 0) + 1
    assert set(kept.values()) == {len(Step) + 3}
    assert 0 < len(kept) < len(rows)
    for line in traced.lines:
        line.engine.dispose()


def test_sampling_by_our_ids_is_fair() -> None:
    limit = 2**64
    low = [(context(uuid7(), None).trace_id % limit) / limit for _ in range(2000)]
    assert 0.2 < sum(one < 0.25 for one in low) / len(low) < 0.3


def test_without_tracing_the_event_keeps_the_producers_trace(tmp_path: Path) -> None:
    line = Line(tmp_path, NoTracing())
    row = line.submit("1", traceparent=PRODUCER)
    for step in Step:
        line.deliver(row, step)
    assert [event["traceparent"] for event in line.events()] == [PRODUCER]
    line.engine.dispose()


def test_an_endpoint_without_the_extra_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    settings = Settings.load().model_copy(update={"otlp_endpoint": "http://collector:4318"})
    with pytest.raises(ConfigurationError, match="extra `otel`"):
        monitoring.open_tracing(settings, "w1")
    assert isinstance(monitoring.open_tracing(Settings.load(), "w1"), NoTracing)
