"""Reading a producer's URL so strictly that nobody else could read it differently.

Bypasses of address checks live on disagreement: one parser sees a harmless host, the next one,
which connects, another. Whatever has two readings is refused, and only the parts found here are
used.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from packshot.errors import ForbiddenAddress
from packshot.fetch.address import Resolver, is_public, may_be_private
from packshot.fetch.policy import Policy

#: Ports of web servers. Any other port on a public host is more likely a service that takes our
#: request line for commands of its own protocol.
WEB_PORTS = {"http": (80, 8080), "https": (443, 8443)}

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
#: Longest name and longest part of it (RFC 1035, characters).
_MAX_HOST, _MAX_LABEL = 253, 63
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
#: The last label of a name in a form that resolvers may take for a number, and so for an address.
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)")
#: What may stand in a path or query as it is; everything else is percent-encoded.
_SAFE = "/:@!$&'()*+,;=-._~%?"


@dataclass(frozen=True, slots=True)
class Target:
    """One web address, taken apart. `path` includes the query, percent-encoded."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def shown(self) -> str:
        """The address for a message or a log: without the query, where signatures are."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{self.path.split('?')[0][:200]}"

    @property
    def filename(self) -> str:
        """The last part of the path, decoded; empty where there is none."""
        return unquote(self.path.split("?")[0].rsplit("/", 1)[-1])


def read_url(url: str, policy: Policy) -> Target:
    """Take an http(s) URL apart. Raises `ForbiddenAddress` for what the policy does not allow."""
    if _FORBIDDEN.search(url):
        raise _refused("it contains blanks, control characters or backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _refused("it is malformed") from error
    scheme = parts.scheme.lower()
    if scheme not in WEB_PORTS or (scheme == "http" and not policy.allow_http):
        raise _refused(f"{scheme}:// is not fetched here, use https://")
    if "@" in parts.netloc:
        raise _refused("user names and passwords do not belong into it")
    host = _host(parts)
    if port is None:
        port = WEB_PORTS[scheme][0]
    if port not in WEB_PORTS[scheme] and host not in _private_hosts(policy):
        raise _refused(f"port {port} is not fetched from")
    path = quote(parts.path or "/", safe=_SAFE.replace("?", ""))
    query = f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
    return Target(scheme, host, port, path + query)


def addresses_of(target: Target, policy: Policy, resolve: Resolver) -> tuple[str, ...]:
    """Look the host up once; what comes back may be connected to without another look.

    Raises:
        ForbiddenAddress: any of its addresses is not public, unless the host may be private.
        OSError: the name cannot be resolved.
    """
    try:
        addresses: tuple[str, ...] = (str(ipaddress.ip_address(target.host)),)
    except ValueError:
        addresses = tuple(resolve(target.host, target.port))
    allowed = may_be_private if target.host in _private_hosts(policy) else is_public
    if not addresses or not all(allowed(address) for address in addresses):
        raise _refused(
            f"{target.host} is not in the open Internet; "
            "an in-house host has to be named in PACKSHOT_PRIVATE_HOSTS"
        )
    return addresses


def _host(parts: SplitResult) -> str:
    """The host in lower case, without a trailing dot, brackets or a second meaning."""
    host = (parts.hostname or "").removesuffix(".")
    if parts.netloc.startswith("["):
        try:
            # Written out in one way; a zone ("%eth0") would choose a network interface of ours.
            return str(ipaddress.IPv6Address("" if "%" in host else host))
        except ValueError as error:
            raise _refused("its IPv6 address is malformed") from error
    labels = host.split(".")
    if (
        not _HOST.fullmatch(host)
        or len(host) > _MAX_HOST
        or not all(1 <= len(label) <= _MAX_LABEL for label in labels)
    ):
        raise _refused(
            "its host name is missing or malformed (write international names as xn--...)"
        )
    if _NUMERIC.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as error:
            raise _refused("its IPv4 address is not written as four decimal numbers") from error
    return host


def _private_hosts(policy: Policy) -> frozenset[str]:
    return frozenset(host.lower().removesuffix(".") for host in policy.private_hosts)


def _refused(reason: str) -> ForbiddenAddress:
    return ForbiddenAddress(f"The picture's address is not fetched: {reason}.")
