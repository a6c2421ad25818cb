"""A limit for everything that a download does together."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from packshot.errors import SourceUnavailable


class Deadline:
    """Counts down from the moment it is made."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds that are left, above 0. Raises `SourceUnavailable` when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise SourceUnavailable(
                f"The picture did not arrive within {self._seconds:g} seconds; "
                "check the speed of the server it lies on."
            )
        return left

    @contextmanager
    def over(self, connection: socket.socket) -> Iterator[None]:
        """End the connection when time is up.

        A socket's own time-out starts again with every byte: a server that sends one byte now and
        then would hold a worker for ever, in the body, the headers or the TLS handshake.
        """
        timer = threading.Timer(self.remaining(), _end, [connection])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        # An SSLSocket's own shutdown would first drop the state that the reading thread uses.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
