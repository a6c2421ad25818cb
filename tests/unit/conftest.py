"""Unit tests open no socket and look up no name."""

import socket
from collections.abc import Iterator

import pytest
import pytest_socket


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(*_: object, **__: object) -> None:
        raise pytest_socket.SocketBlockedError

    pytest_socket.disable_socket(allow_unix_socket=True)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield
    pytest_socket.enable_socket()
