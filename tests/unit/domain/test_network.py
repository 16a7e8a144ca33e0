"""Which addresses may be called: what is known to be public, and what an operator names."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.network import PUBLIC_ONLY, AddressPolicy, effective_address, is_public, networks_of

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]
PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("written", PUBLIC)
def test_an_address_of_the_internet_may_be_called(written: str) -> None:
    """Up to the edges of what is not."""
    assert PUBLIC_ONLY.allows(ip_address(written))


@pytest.mark.parametrize("written", PRIVATE)
def test_any_other_address_may_not(written: str) -> None:
    """Private, local, multicast, reserved, or one of these in the clothes of IPv6."""
    assert not PUBLIC_ONLY.allows(ip_address(written))
    assert not PUBLIC_ONLY.allows_text(written)


@pytest.mark.parametrize("written", ["", "localhost", "0x7f.1", "2130706433", "127.1", "[::1]", "1.1.1.1 "])
def test_what_is_no_address_may_not_either(written: str) -> None:
    """A resolver and a socket write addresses; anything else is not understood."""
    assert not PUBLIC_ONLY.allows_text(written)


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_no_address_is_public_that_python_knows_to_be_private(address: IPv4Address) -> None:
    """A second opinion, over all of IPv4."""
    local = address.is_private or address.is_multicast or address.is_reserved or address.is_loopback
    assert not (local and is_public(address))


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_what_carries_an_ipv4_address_is_judged_by_it(address: IPv6Address) -> None:
    """IPv4-mapped and NAT64 forms; the rest of IPv6 is public within 2000::/3 alone."""
    real = effective_address(address)
    if isinstance(real, IPv4Address):
        assert is_public(address) == is_public(real)
    elif is_public(address):
        assert int(address) >> 125 == 1


def test_an_operator_allows_networks_by_name() -> None:
    """Those and no others, in each form that leads there."""
    policy = AddressPolicy(networks_of(("127.0.0.0/8", "fd00:1::/32")))
    allowed = ["127.0.0.1", "127.9.9.9", "::ffff:127.0.0.1", "fd00:1::5", "8.8.8.8"]
    refused = ["10.0.0.1", "fd00:2::5", "::1", "::ffff:10.0.0.1"]
    assert allowed == [each for each in allowed + refused if policy.allows_text(each)]


@pytest.mark.parametrize("written", ["127.0.0.1/8", "nonsense", "10.0.0.0/40", ""])
def test_what_is_no_network_is_refused(written: str) -> None:
    """Also where bits of the host are set: somebody meant something else."""
    with pytest.raises(ValueError, match=r".+"):
        networks_of((written,))
