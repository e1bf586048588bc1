"""Carves a network's address block for Google Cloud, where one subnet spans all zones of a region."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """The parts of a network's block."""

    nodes: IPv4Network
    """Nodes and internal load balancers: the subnet itself."""
    google: IPv4Network
    """Lent to Google, which puts Cloud SQL into it on its own side of a peering."""
    endpoint: IPv4Address
    """Of the private way to Google's services; an address of the network that belongs to no subnet."""
    pods: IPv4Network
    """Pods: a secondary range of the subnet."""


def carve_region(block: IPv4Network) -> Ranges:
    """Give the upper half to pods, the first quarter to nodes, and a quarter of the second one to Google.

    The rest of the second quarter stays free but for one address. With 10.0.0.0/16 pods get 10.0.128.0/17, nodes
    10.0.0.0/18, Google 10.0.64.0/20, and the private way 10.0.127.254.
    """
    lower, pods = block.subnets()
    nodes, rest = lower.subnets()
    google, *_ = rest.subnets(prefixlen_diff=2)
    return Ranges(nodes=nodes, google=google, endpoint=rest.broadcast_address - 1, pods=pods)
