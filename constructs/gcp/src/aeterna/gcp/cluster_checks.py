"""Refuses at synthesis a cluster that GKE would refuse, or that would stop growing or never start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.addresses import parse_block
from aeterna.contracts.cluster import TaintEffect
from aeterna.contracts.errors import InvalidSpecError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network

    from aeterna.contracts.cluster import ClusterSpec, NodePoolSpec

LARGEST_SERVICE_PREFIX = 16
BLOCK_OF_A_NODE = 24
"""The prefix of the addresses that each node takes for its pods (GKE documentation, "Flexible Pod CIDR")."""


def require_services(spec: ClusterSpec) -> None:
    """Refuse a block for services that is larger than GKE takes."""
    services = parse_block("ClusterSpec", "service_cidr", spec.service_cidr)
    if services.prefixlen < LARGEST_SERVICE_PREFIX:
        problem = f"{services} is larger than GKE takes"
        raise InvalidSpecError("ClusterSpec", "service_cidr", problem, f"use at most a /{LARGEST_SERVICE_PREFIX}")


def require_open_pool(spec: ClusterSpec) -> None:
    """Refuse a cluster whose own pods could be placed nowhere: nothing would resolve a name."""
    if not any(_is_open(pool) for pool in spec.pools):
        problem = "every pool keeps off pods that do not tolerate its taints, and the cluster's own pods do not"
        raise InvalidSpecError("ClusterSpec", "pools", problem, "leave one pool untainted, or only PREFER_NO_SCHEDULE")


def _is_open(pool: NodePoolSpec) -> bool:
    return all(taint.effect is TaintEffect.PREFER_NO_SCHEDULE for taint in pool.taints)


def require_room(pools: Sequence[NodePoolSpec], pods: IPv4Network | None) -> None:
    """Refuse more nodes than the network has addresses for pods: the autoscaler would stop there without a word.

    Each node takes a block for 110 pods, and an upgrade adds one node to each pool for a while. Of a network that is
    only looked up the blocks are not known.
    """
    if pods is None:
        return
    wanted = sum(pool.most for pool in pools) + len(pools)
    room = 1 << (BLOCK_OF_A_NODE - pods.prefixlen)
    if wanted > room:
        problem = f"{wanted} nodes, those of an upgrade included, and {pods} has room for the pods of {room}"
        raise InvalidSpecError("ClusterSpec", "pools", problem, "lower most, or give the network a larger block")
