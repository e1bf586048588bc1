"""What a cache spec means to Memorystore: the node that has its memory, and the engine's version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.errors import InvalidSpecError

if TYPE_CHECKING:
    from aeterna.contracts.cache import CacheSpec

ENGINE_VERSIONS = {"7": "VALKEY_7_2", "8": "VALKEY_8_0"}
"""The minor version of each major one that this release was written against."""

NODES = {
    "SHARED_CORE_NANO": 1.12,
    "STANDARD_SMALL": 5.2,
    "HIGHMEM_MEDIUM": 10.4,
    "HIGHMEM_XLARGE": 46.4,
    "HIGHMEM_2XLARGE": 88.0,
}
"""The GiB for data of each node type, smallest first (Memorystore for Valkey documentation, "Instance and node
specification"); a fifth of a node is kept back for copies and snapshots."""


def node_type(spec: CacheSpec) -> str:
    """Return the smallest node that has the memory for data, or raise `InvalidSpecError`."""
    for node, memory in NODES.items():
        if memory >= spec.memory_gib:
            return node
    problem = f"no node has {spec.memory_gib} GiB for data"
    raise InvalidSpecError("CacheSpec", "memory_gib", problem, f"use at most {int(max(NODES.values()))} GiB")
