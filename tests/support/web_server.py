"""A web server on loopback, with and without TLS, that can misbehave in every way."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.server import NotAvailable

#: Answers one request; the bytes go out as they are.
Page = Callable[["Visitor"], None]


class Visitor(BaseHTTPRequestHandler):
    """One request. `server.pages` maps paths to what is answered."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        """Answer from the pages; 404 for the rest."""
        self.close_connection = True
        page = self.server.pages.get(self.path)
        if page is None:
            self.answer(404)
        else:
            # Many pages go on until the client has had enough.
            with suppress(OSError):
                page(self)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """A complete answer; `content_type="x"` becomes `Content-Type: x`."""
        headers = {"content_length": str(len(body))} | headers
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        self.wfile.write(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Stay silent."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    pages: dict[str, Page]
    tls: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        # The handshake belongs into the visitor's own thread, and may fail: clients test it.
        with suppress(OSError), self.tls.wrap_socket(request, server_side=True) as wrapped:
            super().finish_request(wrapped, client_address)


class WebServer:
    """Serves `pages` until it is closed."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.pages: dict[str, Page] = {}
        self.stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), Visitor)
        self._server.pages = self.pages
        self._server.tls = tls
        self.port: int = self._server.server_address[1]
        self._scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def url(self, path: str, host: str = "localhost") -> str:
        """The address of a page."""
        return f"{self._scheme}://{host}:{self.port}{path}"

    def close(self) -> None:
        """Stop, and let pages that wait for it go on."""
        self.stopping.set()
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()


def certificate(folder: Path, host: str = "localhost") -> tuple[Path, Path]:
    """A self-signed certificate for one name, and its key."""
    if shutil.which("openssl") is None:
        raise NotAvailable("install openssl")
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{host}.crt", folder / f"{host}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", f"/CN={host}", "-addext"]
    command += [f"subjectAltName=DNS:{host}", "-out", str(paths[0]), "-keyout", str(paths[1])]
    subprocess.run(command, check=True, capture_output=True)
    return paths


def listener() -> socket.socket:
    """A port that takes connections and never says a word."""
    return socket.create_server(("127.0.0.1", 0))
