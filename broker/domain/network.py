"""Which addresses the broker may call on a caller's behalf: public ones, and those an operator allows.

A URL that a caller gives makes the broker open a connection, from inside the operator's network. So what
counts is the address that is connected to, and it is judged by what is known to be public, not by a list
of what is dangerous: an address that nobody has thought of is refused.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from broker.domain.value import value

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# The special-purpose registries of IANA. The rest of IPv4 is public.
_IPV4_SPECIAL = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # behind a carrier's NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the metadata of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Of IPv6 only this is global unicast, and of this some is not.
_IPV6_GLOBAL = IPv6Network("2000::/3")
_IPV6_SPECIAL = tuple(
    IPv6Network(each)
    for each in (
        "2001::/23",  # protocols, and Teredo, which carries IPv4 addresses
        "2001:db8::/32",
        "2002::/16",  # 6to4, which carries IPv4 addresses
        "3fff::/20",
    )
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")


def effective_address(address: Address) -> Address:
    """The address that a packet ends up at: what IPv4-mapped and NAT64 forms carry."""
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _NAT64):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether an address is somebody's on the internet: not private, local, multicast or reserved."""
    real = effective_address(address)
    if isinstance(real, IPv4Address):
        return not any(real in network for network in _IPV4_SPECIAL)
    if real.scope_id is not None:
        return False
    return real in _IPV6_GLOBAL and not any(real in network for network in _IPV6_SPECIAL)


@value
class AddressPolicy:
    """Public addresses are allowed, and those of `allow_networks`, which are the operator's to name."""

    allow_networks: tuple[Network, ...] = ()

    def allows(self, address: Address) -> bool:
        """Whether this address may be connected to."""
        real = effective_address(address)
        return is_public(real) or any(
            real.version == network.version and real in network for network in self.allow_networks
        )

    def allows_text(self, written: str) -> bool:
        """The same for an address as a resolver or a socket writes it; what is no address is refused."""
        try:
            return self.allows(ip_address(written))
        except ValueError:
            return False


PUBLIC_ONLY = AddressPolicy()


def networks_of(written: tuple[str, ...]) -> tuple[Network, ...]:
    """CIDRs as networks. Raises ValueError for what is none, also where bits of the host are set."""
    return tuple(ip_network(each) for each in written)
