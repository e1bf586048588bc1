"""The upkeep of one Iceberg table, put together from its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.graph.adapters.iceberg.collection import IcebergCollector
from aeterna.graph.adapters.iceberg.compaction import IcebergCompactor
from aeterna.graph.adapters.iceberg.expiry import IcebergExpirer
from aeterna.graph.ports import Upkeep

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyiceberg.table import Table


def iceberg_upkeep(load: Callable[[], Table | None], scratch: Path | None = None) -> Upkeep:
    """Return what keeps the table fast and small.

    ``load`` asks the catalog; ``scratch`` is where a merge spills what does not fit in memory (without it the
    system's folder for temporary files, which TMPDIR names).
    """
    return Upkeep(
        compactor=IcebergCompactor(load=load, scratch=scratch),
        expirer=IcebergExpirer(load=load),
        collector=IcebergCollector(load=load),
    )
