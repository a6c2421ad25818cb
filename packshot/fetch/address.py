"""Which IP addresses lie in the open Internet.

The tables follow the IANA special-purpose address registries (RFC 6890 and its updates) instead of
`ipaddress.is_global`, whose answer depends on the version of Python.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: From host name and port to IP addresses as text; raises OSError where there are none.
Resolver = Callable[[str, int], Sequence[str]]

_NOT_PUBLIC_4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT, and a cloud's metadata at 100.100.100.200
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's control channel on an otherwise public address
        "169.254.0.0/16",  # link-local, and most clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments, and a cloud's metadata at 192.0.0.192
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved and broadcast
    )
)
#: Everything that is assigned to hosts of the Internet; all else is local, mapped or reserved.
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo (2001::/32) carries an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 carries an IPv4 address
        "3fff::/20",  # documentation
    )
)
#: NAT64 (RFC 6052): the gateway goes to the IPv4 address in the last 32 bits, so that one decides.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: Out of reach even for hosts that may be private: metadata services and what is no single host.
_NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "192.0.0.192/32",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "fd00:ec2::254/128",
        "fd20:ce::254/128",
        "fe80::/10",
        "ff00::/8",
    )
)


def is_public(address: str) -> bool:
    """Whether this IP address belongs to a host in the open Internet; unclear ones do not."""
    found = _parse(address)
    if isinstance(found, ipaddress.IPv4Address):
        return not any(found in network for network in _NOT_PUBLIC_4)
    if isinstance(found, ipaddress.IPv6Address):
        return found in _GLOBAL_6 and not any(found in network for network in _NOT_PUBLIC_6)
    return False


def may_be_private(address: str) -> bool:
    """Whether a host that the operator calls in-house may have this address."""
    found = _parse(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found is not None and not any(
        found in network for network in _NEVER if network.version == found.version
    )


def resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver; every address once, in its order of preference."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def _parse(address: str) -> Address | None:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        if found.scope_id is not None:
            return None
        if found in _NAT64:
            return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found
