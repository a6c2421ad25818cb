"""Tracing with OpenTelemetry: the extra `otel`. Loaded only where an endpoint is set."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from packshot import __version__
from packshot.store.tickets import Ticket
from packshot.tracing import Context, Span, context, inside

#: Longest wait for the collector at the end of a process.
CLOSE_SECONDS = 5.0
_NANO = 1_000_000_000


class _Ids(RandomIdGenerator):
    """Random ids, except for the span whose ids this thread has asked for."""

    def __init__(self) -> None:
        self._asked = threading.local()

    @contextmanager
    def given(self, found: Context) -> Iterator[None]:
        """The next span of this thread is the job's own."""
        self._asked.context = found
        try:
            yield
        finally:
            self._asked.context = None

    def generate_span_id(self) -> int:
        """The job's span id where it was asked for."""
        found: Context | None = getattr(self._asked, "context", None)
        return found.job_span if found else super().generate_span_id()

    def generate_trace_id(self) -> int:
        """The job's trace id where it was asked for."""
        found: Context | None = getattr(self._asked, "context", None)
        return found.trace_id if found else super().generate_trace_id()


class _OtelSpan:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def note(self, **attributes: str | float | bool) -> None:
        """Add attributes, below `packshot.`."""
        self._span.set_attributes({f"packshot.{name}": it for name, it in attributes.items()})

    def fail(self, code: str, sentence: str) -> None:
        """Say that it ends in an error."""
        self._span.set_attribute("error.type", code)
        self._span.set_status(Status(StatusCode.ERROR, sentence))


class OtelTracing:
    """Writes spans to a processor. `ratio` is the share of traces kept where no producer says."""

    def __init__(self, processor: SpanProcessor, *, worker: str, ratio: float) -> None:
        self._ids = _Ids()
        self._ratio = TraceIdRatioBased(ratio)
        self._provider = TracerProvider(
            sampler=ParentBased(self._ratio),
            id_generator=self._ids,
            shutdown_on_exit=False,
            resource=Resource.create(
                {
                    "service.name": "packshot",
                    "service.version": __version__,
                    "service.instance.id": worker,
                }
            ),
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("packshot", __version__)

    @contextmanager
    def step(self, ticket: Ticket) -> Iterator[Span]:
        """One attempt at a step, for as long as the context is open."""
        span = self._tracer.start_span(
            str(ticket.step),
            self._below_job(context(ticket.id, ticket.job.traceparent)),
            SpanKind.CONSUMER,
            {
                **_names(ticket),
                "packshot.step": str(ticket.step),
                "packshot.attempt": ticket.attempt,
                "packshot.fence": ticket.fence,
            },
        )
        with trace.use_span(span, end_on_exit=True), inside(_written(span.get_span_context())):
            yield _OtelSpan(span)

    def intake(self, job_id: UUID, traceparent: str | None, started: float) -> None:
        """A message was taken in."""
        self._tracer.start_span(
            "intake",
            self._below_job(context(job_id, traceparent)),
            SpanKind.CONSUMER,
            {"packshot.job": str(job_id)},
            start_time=int(started * _NANO),
        ).end()

    def settled(self, ticket: Ticket, status: str) -> None:
        """A job has ended: write its own span, from its acceptance until now."""
        found = context(ticket.id, ticket.job.traceparent)
        producer = found.producer_span
        parent = trace.set_span_in_context(
            trace.INVALID_SPAN if producer is None else self._remote(found, producer),
            None,
        )
        with self._ids.given(found):
            span = self._tracer.start_span(
                "job",
                parent,
                SpanKind.SERVER,
                {**_names(ticket), "packshot.status": status},
                start_time=int(ticket.created_at.timestamp() * _NANO),
            )
        if status == "failed":
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    @contextmanager
    def event(self, kind: str, event: Mapping[str, Any]) -> Iterator[None]:
        """The publishing of one event, below the span that wrote it."""
        parent = context(UUID(str(event["id"])), event.get("traceparent"))
        if parent.producer_span is None:  # a refused message, or one from before tracing
            yield
            return
        span = self._tracer.start_span(
            "event",
            trace.set_span_in_context(self._remote(parent, parent.producer_span)),
            SpanKind.PRODUCER,
            {"cloudevents.event_id": str(event["id"]), "cloudevents.event_type": kind},
        )
        with trace.use_span(span, end_on_exit=True):
            yield

    def close(self) -> None:
        """Send what is not sent yet; a collector that does not answer is not waited for long."""
        closing = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)

    def _below_job(self, found: Context) -> Any:
        return trace.set_span_in_context(self._remote(found, found.job_span))

    def _remote(self, found: Context, span: int) -> trace.Span:
        kept = found.sampled
        if kept is None:  # the same answer in every process: it follows from the trace id
            kept = (found.trace_id & TraceIdRatioBased.TRACE_ID_LIMIT) < self._ratio.bound
        flags = TraceFlags(TraceFlags.SAMPLED if kept else TraceFlags.DEFAULT)
        return trace.NonRecordingSpan(SpanContext(found.trace_id, span, True, flags))


def over_http(endpoint: str, *, worker: str, ratio: float) -> OtelTracing:
    """Send spans to an OTLP collector over HTTP, in batches and in the background."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    return OtelTracing(BatchSpanProcessor(exporter), worker=worker, ratio=ratio)


def _names(ticket: Ticket) -> dict[str, str | int]:
    job = ticket.job
    return {
        "packshot.job": str(ticket.id),
        "packshot.source": job.source,
        "packshot.job_id": job.job_id,
        "packshot.sku": job.sku,
        "packshot.lane": str(job.lane),
    }


def _written(found: SpanContext) -> str:
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{int(found.trace_flags):02x}"
