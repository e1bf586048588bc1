"""What a cache spec means to Azure Managed Redis: the size that has its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.errors import InvalidSpecError

if TYPE_CHECKING:
    from aeterna.contracts.cache import CacheSpec

FOR_DATA = 0.8
"""The service keeps a fifth of a size for its own work ("Memory management best practices")."""

SIZES = {
    "Balanced_B1": 1,
    "Balanced_B3": 3,
    "Balanced_B5": 6,
    "Balanced_B10": 12,
    "Balanced_B20": 24,
    "Balanced_B50": 60,
    "Balanced_B100": 120,
    "Balanced_B150": 175,
    "Balanced_B250": 235,
    "Balanced_B350": 360,
}
"""The GiB of each balanced size, smallest first. Larger ones are in preview (Azure Managed Redis documentation,
"Choose a tier")."""


def size(spec: CacheSpec) -> str:
    """Return the smallest size that has the memory for data, or raise `InvalidSpecError`."""
    for name, memory in SIZES.items():
        if memory * FOR_DATA >= spec.memory_gib:
            return name
    most = int(max(SIZES.values()) * FOR_DATA)
    problem = f"no size has {spec.memory_gib} GiB for data"
    raise InvalidSpecError("CacheSpec", "memory_gib", problem, f"use at most {most} GiB")
