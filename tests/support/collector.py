"""A collector of traces: takes OTLP over HTTP, as OpenTelemetry's would, and keeps the spans."""

import http.server
import threading
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Span:
    """One span: ids in hexadecimal, times in seconds of the wall clock."""

    name: str
    trace: str
    id: str
    parent: str
    start: float
    end: float
    worker: str
    attributes: dict[str, str]


class Collector:
    """Listens on a free port of this machine until it is closed."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._came = threading.Condition()
        take = self._take

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Take one export."""
                take(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait(self, count: int, seconds: float) -> list[Span]:
        """Return once there are `count` spans."""
        with self._came:
            if not self._came.wait_for(lambda: len(self._spans) >= count, seconds):
                names = [span.name for span in self._spans]
                raise AssertionError(f"{names} after {seconds} s, {count} were to come")
            return sorted(self._spans, key=lambda span: span.start)

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    def _take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        found = []
        for resource in request.resource_spans:
            about = {one.key: one.value.string_value for one in resource.resource.attributes}
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                values = {one.key: one.value.string_value for one in span.attributes}
                times = span.start_time_unix_nano / 1e9, span.end_time_unix_nano / 1e9
                ids = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
                found.append(Span(span.name, *ids, *times, about["service.instance.id"], values))
        with self._came:
            self._spans += found
            self._came.notify_all()
