"""Addresses that AKS keeps for itself: neither a cluster's network nor its pods and services may have any of them."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Final

from aeterna.contracts.addresses import require_disjoint

if TYPE_CHECKING:
    from collections.abc import Sequence

RESERVED: Final[Sequence[IPv4Network]] = (IPv4Network("172.30.0.0/16"), IPv4Network("172.31.0.0/16"))
"""Azure documentation, "Azure CNI Overlay networking". The other two that it names are no private addresses."""


def refuse_reserved(spec: str, field: str, block: IPv4Network) -> None:
    """Refuse a block that AKS would refuse when the cluster is made, long after the network was."""
    for taken in RESERVED:
        require_disjoint(spec, field, block, taken, "what AKS keeps for itself")
