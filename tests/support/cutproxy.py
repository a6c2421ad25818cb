"""A TCP proxy on loopback that breaks the line on command."""

import contextlib
import socket
import struct
import threading
from enum import Enum
from typing import Self

_CHUNK = 65536
#: SO_LINGER with zero seconds: closing sends a reset instead of an orderly end.
_RESET = struct.pack("ii", 1, 0)


class Mode(Enum):
    """What happens to the line."""

    FORWARD = "forward"
    REFUSE = "refuse"  # new connections are reset at once; open ones live on
    BLACKHOLE = "blackhole"  # connections open, and nothing arrives until the line heals


class CutProxy:
    """Stands between a client and `target_port`; every knob may be turned at any time.

    `delay_s` holds back each piece of data, in both directions. `truncate_after` ends a connection
    in good order after so many bytes from the server, as a dying server does in mid-answer.
    """

    def __init__(self, target_port: int, host: str = "127.0.0.1") -> None:
        self.delay_s = 0.0
        self.truncate_after: int | None = None
        self.connections = 0
        self._target = (host, target_port)
        self._mode = Mode.FORWARD
        self._flows = threading.Event()
        self._flows.set()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._doomed: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._spawn(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def mode(self) -> Mode:
        """What happens to the line now."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        self._mode = mode
        if mode is Mode.BLACKHOLE:
            self._flows.clear()
        else:
            self._flows.set()

    def reset(self) -> None:
        """Reset every open connection, on both sides; new ones are still taken."""
        with self._lock:
            # A pump reads its own end's reset as an end of file: it must not pass that on politely.
            self._doomed |= self._sockets
            _reset(*self._sockets)

    def cut(self) -> None:
        """The server is gone: reset what is open and refuse what comes."""
        self.mode = Mode.REFUSE
        self.reset()

    def heal(self) -> None:
        """Forward again, without delay or truncation."""
        self.delay_s = 0.0
        self.truncate_after = None
        self.mode = Mode.FORWARD

    def close(self) -> None:
        """Cut everything and wait for the threads."""
        self._closed.set()
        self._flows.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.reset()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(10)

    def _spawn(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._spawn(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client:
            if self._mode is Mode.REFUSE or self._closed.is_set():
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                return
            try:
                server = socket.create_connection(self._target, 10)
            except OSError:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                return
            server.settimeout(None)
            with server:
                self._relay(client, server)

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        with self._lock:
            self._sockets |= {client, server}
        upward = threading.Thread(target=self._pump, args=(client, server, False), daemon=True)
        upward.start()
        self._pump(server, client, True)
        upward.join()
        with self._lock:
            self._sockets -= {client, server}
            self._doomed -= {client, server}

    def _pump(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        sent = 0
        try:
            while data := source.recv(_CHUNK):
                self._flows.wait()
                if self.delay_s:
                    self._closed.wait(self.delay_s)
                limit = self.truncate_after if is_answer else None
                if limit is not None and sent + len(data) >= limit:
                    sink.sendall(data[: limit - sent])
                    break
                sink.sendall(data)
                sent += len(data)
        except OSError:
            # A reset on one side is one on the other too, never a polite end.
            _reset(source, sink)
            return
        if source in self._doomed:
            return
        for end, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
            with contextlib.suppress(OSError):
                end.shutdown(how)


def _reset(*ends: socket.socket) -> None:
    for end in ends:
        # The pump that waits in `recv` holds the socket open: it has to wake up first.
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            _abort(end)


def _abort(end: socket.socket) -> None:
    """Send a reset although another thread waits in `recv` on this socket.

    Connecting a TCP socket to the unspecified family dissolves the association: Linux answers with
    a reset and wakes every reader. Closing would only drop one of two references.
    """
    import ctypes

    unspecified = struct.pack("H14x", socket.AF_UNSPEC)
    ctypes.CDLL(None, use_errno=True).connect(end.fileno(), unspecified, len(unspecified))
