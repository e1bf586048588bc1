"""Carves a network's address block into the subnets of its zones; the same block and zones always give the same."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError

from aeterna.contracts.errors import InvalidSpecError

PRIVATE_SPACE = tuple(
    IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
CONTAINER_BRIDGE = IPv4Network("172.17.0.0/16")
"""The default bridge of container runtimes: a node cannot reach a peer that lives in it."""

LARGEST_PREFIX = 16
SMALLEST_PREFIX = 20
_EDGE_BITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneBlocks:
    """The address blocks of one zone: workloads (with their pods), and the edge that holds only address translation."""

    private: IPv4Network
    edge: IPv4Network


def parse_block(spec: str, field: str, text: str) -> IPv4Network:
    """Read an IPv4 block in CIDR notation, or say what is wrong with it."""
    try:
        return IPv4Network(text)
    except (AddressValueError, NetmaskValueError, ValueError) as problem:
        raise InvalidSpecError(
            spec, field, f"{text!r} is not an IPv4 block ({problem})", 'write one such as "10.0.0.0/16"'
        ) from None


def require_private(spec: str, field: str, block: IPv4Network) -> None:
    """Refuse public addresses, and the block that the container bridge of every node shadows."""
    if not any(block.subnet_of(space) for space in PRIVATE_SPACE):
        raise InvalidSpecError(
            spec,
            field,
            f"{block} is not private address space",
            "use a block inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10",
        )
    if block.overlaps(CONTAINER_BRIDGE):
        raise InvalidSpecError(
            spec,
            field,
            f"{block} overlaps {CONTAINER_BRIDGE}, the container bridge of every node",
            "choose a block outside it",
        )


def require_disjoint(spec: str, field: str, block: IPv4Network, other: IPv4Network, what: str) -> None:
    """Refuse two blocks that share addresses: no route could tell them apart."""
    if block.overlaps(other):
        raise InvalidSpecError(spec, field, f"{block} overlaps {other}, {what}", "choose blocks that share no address")


def carve(block: IPv4Network, zones: int) -> tuple[ZoneBlocks, ...]:
    """Give each zone a quarter of ``block`` for workloads and a sixteenth of the last quarter for its edge.

    The rest of the last quarter stays free, for a fourth zone or for subnets that a customer adds. Three zones of
    10.0.0.0/16 get 10.0.0.0/18, 10.0.64.0/18 and 10.0.128.0/18, and edges 10.0.192.0/22, 10.0.196.0/22, 10.0.200.0/22.
    """
    *quarters, last = block.subnets(prefixlen_diff=2)
    edges = last.subnets(prefixlen_diff=_EDGE_BITS)
    return tuple(
        ZoneBlocks(private=private, edge=edge) for private, edge, _ in zip(quarters, edges, range(zones), strict=False)
    )
