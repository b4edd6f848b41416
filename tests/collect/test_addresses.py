"""Only public addresses are connected to, however they are written."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discourse.collect.addresses import BlockedAddressError, checked, is_loopback, look_up, refusal

CLOSED = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.88.99.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:a00:1",
    "::127.0.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2001:db8::1",
    "not an address",
]


@pytest.mark.parametrize("address", CLOSED)
def test_addresses_inside_are_refused(address: str) -> None:
    """Loopback, private, link-local, shared, multicast and embedded addresses are refused with a reason."""
    assert refusal(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "1.1.1.1", "2606:2800:220:1::1", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_public_addresses_are_allowed(address: str) -> None:
    """Addresses on the public internet may be asked."""
    assert refusal(address) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.1", "fc00::1", "::ffff:127.0.0.1"])
def test_private_addresses_can_be_allowed(address: str) -> None:
    """A user who collects from a server of the own network can say so."""
    assert refusal(address, allow_private=True) is None


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "224.0.0.1", "::"])
def test_keys_of_a_cloud_are_never_allowed(address: str) -> None:
    """Metadata services and addresses of no one machine stay closed even where private ones are allowed."""
    assert refusal(address, allow_private=True)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "017700000001", "127.1", "0x7f.1", "0", "localhost"])
def test_other_forms_of_loopback_are_refused(host: str) -> None:
    """Decimal, hexadecimal, octal and short forms are what the system's resolver makes of them."""
    with pytest.raises(BlockedAddressError):
        checked(host, 80, look_up, allow_private=False)


def test_a_name_that_leads_inside_and_outside_is_refused_whole() -> None:
    """One bad address among good ones is enough."""
    with pytest.raises(BlockedAddressError, match=r"both\.test leads to 10\.0\.0\.1"):
        checked("both.test", 80, lambda *_: ["1.1.1.1", "10.0.0.1"], allow_private=False)


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_judged_as_what_it_carries(address: IPv4Address) -> None:
    """An IPv4 address inside an IPv6 address is refused exactly if it is refused alone."""
    for prefix in ("::ffff:", "64:ff9b::"):
        assert (refusal(f"{prefix}{address}") is None) == (refusal(str(address)) is None)


@given(st.ip_addresses(v=6))
def test_any_address_gets_an_answer(address: IPv6Address) -> None:
    """No address raises, and a scope changes nothing."""
    assert refusal(str(address)) == refusal(f"{address}%1")


def test_loopback_is_known_as_written() -> None:
    """The rate is off for this machine alone, where private addresses are allowed."""
    assert is_loopback("localhost")
    assert is_loopback("127.0.0.9")
    assert is_loopback("::1")
    assert not is_loopback("example.org")
