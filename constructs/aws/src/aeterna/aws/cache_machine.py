"""What a cache spec means to ElastiCache: the node that has its memory, and the engine's version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.errors import InvalidSpecError

if TYPE_CHECKING:
    from aeterna.contracts.cache import CacheSpec

ENGINE_VERSIONS = {"7": "7.2", "8": "8.1"}
"""The newest minor version of each major one that this release was written against."""

FOR_DATA = 0.75
"""ElastiCache reserves a quarter of a node for copies and snapshots (``reserved-memory-percent``)."""

NODES = {
    "cache.t4g.small": 1.37,
    "cache.t4g.medium": 3.09,
    "cache.m7g.large": 6.38,
    "cache.r7g.large": 13.07,
    "cache.r7g.xlarge": 26.32,
    "cache.r7g.2xlarge": 52.82,
    "cache.r7g.4xlarge": 105.81,
    "cache.r7g.8xlarge": 209.55,
    "cache.r7g.12xlarge": 317.33,
    "cache.r7g.16xlarge": 419.09,
}
"""The GiB of each node type, smallest first (ElastiCache User Guide, "Supported node types")."""


def node_type(spec: CacheSpec) -> str:
    """Return the smallest node that has the memory for data, or raise `InvalidSpecError`."""
    for node, memory in NODES.items():
        if memory * FOR_DATA >= spec.memory_gib:
            return node
    most = int(max(NODES.values()) * FOR_DATA)
    problem = f"no node has {spec.memory_gib} GiB for data"
    raise InvalidSpecError("CacheSpec", "memory_gib", problem, f"use at most {most} GiB")
