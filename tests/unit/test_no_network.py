"""The rule that unit tests stay off the network is itself kept."""

import socket

import pytest
from pytest_socket import SocketBlockedError


@pytest.mark.filterwarnings("ignore:A test tried to use")
def test_unit_tests_reach_nobody() -> None:
    with pytest.raises(SocketBlockedError):
        socket.socket(socket.AF_INET)
    with pytest.raises(SocketBlockedError):
        socket.getaddrinfo("localhost", 80)


def test_processes_may_still_talk_to_each_other() -> None:
    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"hello")
        assert right.recv(10) == b"hello"
