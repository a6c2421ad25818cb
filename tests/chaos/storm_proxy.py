"""An HTTP proxy in front of an object store that answers 503 and breaks off, on command."""

import contextlib
import http.client
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

#: What S3 says when it wants to be left alone.
_SLOW_DOWN = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
)
#: Headers that belong to one connection and are not passed on.
_HOP = {"connection", "expect", "keep-alive", "transfer-encoding"}


class StormProxy:
    """Forwards requests to `target_port`; shares of them go wrong while the knobs are not zero.

    `refuse`: answered 503, nothing reaches the store. `forget`: done by the store, but the line
    breaks before the answer. `truncate`: the answer's body breaks off in the middle.
    """

    def __init__(self, target_port: int, seed: int = 0) -> None:
        self.refuse = self.forget = self.truncate = 0.0
        self.refused = self.forgotten = self.truncated = 0
        self.target_port = target_port
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self})
        )
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def heal(self) -> None:
        """Let everything through."""
        self.refuse = self.forget = self.truncate = 0.0

    def draws(self, share: float) -> bool:
        """Whether this request is one of the unlucky ones."""
        with self._lock:
            return self._random.random() < share


class _Handler(BaseHTTPRequestHandler):
    """One connection. `proxy` is set by a subclass, since the server makes the handlers itself."""

    protocol_version = "HTTP/1.1"
    proxy: StormProxy

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def relay(self) -> None:
        """Answer one request, with luck."""
        proxy = self.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if proxy.draws(proxy.refuse):
            proxy.refused += 1
            self._answer(503, [("Content-Type", "application/xml")], _SLOW_DOWN)
            return
        status, headers, answer = self._ask(body)
        if proxy.draws(proxy.forget):
            proxy.forgotten += 1
            self.close_connection = True
            return
        self._answer(status, headers, answer)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = relay  # noqa: N815 - the base's names

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        store = http.client.HTTPConnection("127.0.0.1", self.proxy.target_port, timeout=30)
        with contextlib.closing(store):
            store.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP:
                    store.putheader(name, value)
            store.endheaders(body)
            response = store.getresponse()
            headers = [(k, v) for k, v in response.getheaders() if k.lower() not in _HOP]
            return response.status, headers, response.read()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        has_body = self.command != "HEAD"
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() != "content-length" or not has_body:
                self.send_header(name, value)
        if has_body:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if has_body and len(body) > 1 and self.proxy.draws(self.proxy.truncate):
            self.proxy.truncated += 1
            body, self.close_connection = body[: len(body) // 2], True
        if has_body:
            self.wfile.write(body)
