"""Which addresses of the internet protocol may be connected to: public ones, unless the user allows private ones."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Resolve = Callable[[str, int], list[str]]
Address = IPv4Address | IPv6Address

# Where clouds hand out the keys of a machine; refused even where private addresses are allowed.
_METADATA = {
    ip_address(one)
    for one in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")
}
# Not public, though `is_global` of some Python versions says so: shared (CGNAT), 6to4 relays, benchmarks, site-local.
_CLOSED = [ip_network(one) for one in ("100.64.0.0/10", "192.88.99.0/24", "198.18.0.0/15", "fec0::/10")]
# IPv6 addresses that carry an IPv4 address in their last 32 bits: NAT64 (RFC 6052, 8215), IPv4-compatible (RFC 4291).
_CARRIERS = [IPv6Network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")]


class BlockedAddressError(Exception):
    """A name leads to an address that must not be connected to; the message is one clause."""


def look_up(host: str, port: int) -> list[str]:
    """Resolve a host name with the system's resolver, which also reads decimal, octal and hexadecimal addresses.

    Raises:
        OSError: there is no such name.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def refusal(address: str, *, allow_private: bool = False) -> str | None:
    """Say why an IP address must not be connected to; None if it may.

    Args:
        address: an IPv4 or IPv6 address as a resolver gives it, with or without a scope.
        allow_private: whether loopback, private and link-local addresses are wanted.
    """
    try:
        given = ip_address(address.partition("%")[0])
    except ValueError:
        return "is no IP address"
    for one in _carried(given):
        if one in _METADATA:
            return "is where a cloud keeps the keys of this machine"
        if one.is_multicast or one.is_unspecified or one == IPv4Address("255.255.255.255"):
            return "is no address of one machine"
        if not allow_private and not _public(one):
            return "is not on the public internet"
    return None


def checked(host: str, port: int, resolve: Resolve, *, allow_private: bool) -> list[str]:
    """Resolve `host` once and return its addresses, all of which may be connected to.

    Raises:
        BlockedAddressError: one of them may not: a name that leads inside and outside is refused whole.
        OSError: there is no such name.
    """
    addresses = resolve(host, port)
    if not addresses:
        raise OSError("the name has no address")
    for address in addresses:
        why = refusal(address, allow_private=allow_private)
        if why is not None:
            named = address if address == host else f"{host[:100]} leads to {address}, which"
            raise BlockedAddressError(f"{named} {why}")
    return addresses


def is_loopback(host: str) -> bool:
    """Tell whether a host, as written in an address, is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _public(one: Address) -> bool:
    closed = any(one in network for network in _CLOSED if network.version == one.version)
    return one.is_global and not one.is_private and not one.is_link_local and not one.is_reserved and not closed


def _carried(address: Address) -> Iterator[Address]:
    """Yield an address and what it carries: mapped (::ffff:0:0/96), 6to4 (2002::/16), Teredo (2001::/32), NAT64."""
    if isinstance(address, IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
        return
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in network for network in _CARRIERS) and not address.is_loopback and not address.is_unspecified:
        yield last
        return
    yield address
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
