"""Which IP addresses are the public internet, and which are our own machines, our neighbours or a cloud's metadata."""

from __future__ import annotations

from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

IpAddress: TypeAlias = IPv4Address | IPv6Address

# In public space, but each machine of the cloud reaches its own host's services there.
_AZURE_WIRE_SERVER: Final = IPv4Address("168.63.129.16")
# Metadata services that private hosts may not be allowed to name either.
_METADATA: Final = frozenset(
    {
        _AZURE_WIRE_SERVER,
        IPv4Address("100.100.100.200"),
        IPv4Address("192.0.0.192"),
        IPv6Address("fd00:ec2::254"),
        IPv6Address("fd20:ce::254"),
    }
)
_THIS_NETWORK: Final = IPv4Network("0.0.0.0/8")
_NAT64: Final = IPv6Network("64:ff9b::/96")
# Addresses that carry an IPv4 address which a relay on the way would go on to.
_RELAYED: Final = (
    IPv6Network("::/96"),
    IPv6Network("::ffff:0:0:0/96"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("2001::/32"),
    IPv6Network("2002::/16"),
    IPv6Network("5f00::/16"),
)


class Reach(Enum):
    """How far away an address is."""

    PUBLIC = "public"
    PRIVATE = "private"
    """This machine, or a network of the operator's: only for hosts that the operator has named."""
    FORBIDDEN = "forbidden"
    """Metadata services, link-local, multicast, relays and what is no destination at all: for nobody."""


def reach_of(text: str) -> Reach:
    """Return how far away the address is that a resolver gave; what cannot be read as one is forbidden."""
    try:
        address = ip_address(text)
    except ValueError:
        return Reach.FORBIDDEN
    return _reach(address)


def _reach(address: IpAddress) -> Reach:
    if isinstance(address, IPv6Address):
        if (inner := address.ipv4_mapped) is not None:
            return _reach(inner)
        if address in _NAT64:
            # What a cluster with only IPv6 reaches the IPv4 internet by; as public as what it carries.
            carried = _reach(IPv4Address(int(address) & 0xFFFFFFFF))
            return carried if carried is Reach.PUBLIC else Reach.FORBIDDEN
    if _is_nowhere(address):
        return Reach.FORBIDDEN
    if address.is_global:
        return Reach.PUBLIC
    # For IPv4, also shared space (100.64/10), which some clouds give to a cluster's own network.
    return Reach.PRIVATE if address.is_private or isinstance(address, IPv4Address) else Reach.FORBIDDEN


def _is_nowhere(address: IpAddress) -> bool:
    """Return whether nobody may be sent there, even if an operator has named the host."""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return True
    if address.is_loopback:
        return False
    if address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
        return True
    if isinstance(address, IPv4Address):
        return address in _METADATA or address in _THIS_NETWORK
    return address in _METADATA or address.is_site_local or any(address in network for network in _RELAYED)
