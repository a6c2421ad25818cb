"""The socket that a console listens on when it has to know its port before it serves."""

import socket


def listen(port: int = 0, host: str = "127.0.0.1") -> socket.socket:
    """Listen on a port; 0 takes a free one.

    Unlike `socket.create_server` it says that it is TCP: asyncio switches Nagle's algorithm off for
    nothing else, and every answer on a kept connection would wait 40 ms for the client's ACK.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener
