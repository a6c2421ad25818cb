"""Downloading over http(s), from an address that was checked and to which we then hold on.

The standard library's client takes a socket that is already connected, so the address that was
checked is the one that is used, while the Host header, SNI and the certificate check use the name.
"""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import urljoin

from packshot.errors import (
    ForbiddenAddress,
    ImageTooLarge,
    NotFound,
    SourceUnavailable,
    UnsupportedFormat,
)
from packshot.fetch.address import Resolver
from packshot.fetch.address import resolve as ask_system
from packshot.fetch.deadline import Deadline
from packshot.fetch.policy import Fetched, Policy
from packshot.fetch.url import Target, addresses_of, read_url

#: Redirects that are followed: one for a moved host, one for a CDN, one to spare.
MAX_REDIRECTS = 3
#: Addresses of one host that are tried; more would only use up the deadline.
MAX_ADDRESSES = 3
#: Seconds to wait for one address to take the connection.
CONNECT_TIMEOUT_S = 10.0

_CHUNK = 64 * 1024
_REDIRECTS = {301, 302, 303, 307, 308}
_OK = {200, 203}
_NO_ACCESS = {401, 403, 407}
#: Besides 5xx: time-out, too early, too many requests.
_PASSING = {408, 425, 429}
_HEADERS = {
    "Accept": "image/*,*/*;q=0.1",
    "Accept-Encoding": "identity",  # a small answer must not unpack into a large one
    "Connection": "close",
    "User-Agent": "packshot",
}

#: From address, port and time-out in seconds to a connected socket.
Connect = Callable[[str, int, float], socket.socket]


class _Pinned(HTTPConnection):
    auto_open = 0  # without its socket it must fail, not look the name up again


def dial(address: str, port: int, timeout_s: float) -> socket.socket:
    """Connect to an IP address."""
    return socket.create_connection((address, port), timeout_s)


class HttpSource:
    """Downloads from web servers. Thread-safe. Proxies in the environment are not used."""

    def __init__(
        self,
        policy: Policy,
        *,
        resolve: Resolver = ask_system,
        connect: Connect = dial,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._resolve = resolve
        self._connect = connect
        self._tls = tls if tls is not None else ssl.create_default_context()

    def fetch(self, url: str) -> Fetched:
        """Download one file.

        Raises:
            ForbiddenAddress: the URL, or one it redirects to, is not fetched from.
            NotFound: the server has no such file, or does not give it to us.
            ImageTooLarge: it has more bytes than the policy allows.
            UnsupportedFormat: it came packed although we asked for it as it is.
            SourceUnavailable: no answer, a broken one or too slow a one: try again.
        """
        deadline = Deadline(self._policy.deadline_s)
        first = target = read_url(url, self._policy)
        for _ in range(MAX_REDIRECTS + 1):
            with self._answer(target, deadline) as response:
                if response.status not in _REDIRECTS:
                    _check(response, target)
                    data = self._body(response, target, deadline)
                    return Fetched(data, first.filename)
                target = self._follow(response, target)
        raise NotFound(f"{first.shown} redirects more than {MAX_REDIRECTS} times.")

    @contextmanager
    def _answer(self, target: Target, deadline: Deadline) -> Iterator[HTTPResponse]:
        """The head of the answer to one GET; errors of the network have our names inside."""
        try:
            with (
                closing(self._open(target, deadline)) as connection,
                deadline.over(connection),
            ):
                if isinstance(connection, ssl.SSLSocket):
                    connection.do_handshake()
                client = _Pinned(target.host, target.port)
                client.sock = connection
                client.request("GET", target.path, headers=_HEADERS | {"Host": _host(target)})
                with closing(client.getresponse()) as response:
                    yield response
        except (OSError, HTTPException) as error:
            deadline.remaining()  # the cut of our own timer is named by its cause
            raise SourceUnavailable(
                f"{target.shown} could not be fetched ({_reason(error)}); "
                "check that its server is up and its certificate is valid."
            ) from error

    def _open(self, target: Target, deadline: Deadline) -> socket.socket:
        """A connected socket; TLS is prepared, its handshake belongs under the deadline's eye."""
        try:
            addresses = addresses_of(target, self._policy, self._resolve)
        except socket.gaierror as error:
            if error.errno == socket.EAI_AGAIN:
                raise
            raise NotFound(f"There is no host {target.host}: correct the address.") from error
        for number, address in enumerate(addresses[:MAX_ADDRESSES], start=1):
            timeout_s = min(deadline.remaining(), CONNECT_TIMEOUT_S)
            try:
                connection = self._connect(address, target.port, timeout_s)
                break
            except OSError:
                if number == len(addresses[:MAX_ADDRESSES]):
                    raise
        connection.settimeout(deadline.remaining())
        if target.scheme == "http":
            return connection
        try:
            return self._tls.wrap_socket(
                connection, server_hostname=target.host, do_handshake_on_connect=False
            )
        except BaseException:
            connection.close()
            raise

    def _follow(self, response: HTTPResponse, target: Target) -> Target:
        location = response.getheader("Location")
        if not location:
            raise NotFound(f"{target.shown} redirects to nowhere.")
        # The library reads headers as Latin-1, servers that send other letters mean UTF-8.
        location = location.encode("latin-1").decode("utf-8", "replace")
        base = f"{target.scheme}://{_host(target)}{target.path}"
        try:
            joined = urljoin(base, location)
        except ValueError as error:
            raise ForbiddenAddress(f"{target.shown} redirects to a malformed address.") from error
        following = read_url(joined, self._policy)
        if target.scheme == "https" and following.scheme == "http":
            raise ForbiddenAddress(f"{target.shown} redirects from https:// to plain http://.")
        return following

    def _body(self, response: HTTPResponse, target: Target, deadline: Deadline) -> bytes:
        limit = self._policy.max_bytes
        if response.length is not None and response.length > limit:
            raise _too_large(target, limit)
        parts: list[bytes] = []
        total = 0
        while part := response.read1(_CHUNK):
            parts.append(part)
            total += len(part)
            if total > limit:
                raise _too_large(target, limit)
        deadline.remaining()  # our own timer ends a body just as quietly as a server does
        if response.length:
            raise SourceUnavailable(
                f"{target.shown} broke off {response.length:,} bytes before its end."
            )
        return b"".join(parts)


def _check(response: HTTPResponse, target: Target) -> None:
    status = response.status
    if status in _NO_ACCESS:
        raise NotFound(
            f"{target.shown} is not given to us (HTTP {status}): "
            "send an address that needs no login, or a fresh signed one."
        )
    if status >= 500 or status in _PASSING:
        raise SourceUnavailable(f"The server of {target.shown} answered HTTP {status}.")
    if status not in _OK:
        raise NotFound(f"There is no picture at {target.shown} (HTTP {status}).")
    packed = (response.getheader("Content-Encoding") or "identity").strip().lower()
    if packed != "identity":
        raise UnsupportedFormat(
            f"{target.shown} came packed as {packed[:20]!r}: serve pictures as they are."
        )


def _host(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    standard = {"http": 80, "https": 443}[target.scheme]
    return host if target.port == standard else f"{host}:{target.port}"


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    return type(error).__name__


def _too_large(target: Target, limit: int) -> ImageTooLarge:
    return ImageTooLarge(f"{target.shown} has more than the {limit:,} bytes that are allowed.")
