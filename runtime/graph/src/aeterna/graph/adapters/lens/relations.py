"""A state as two relations in Arrow, for questions that are better asked in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aeterna.graph.domain.arrow import Arrow, pa

if TYPE_CHECKING:
    import duckdb

    from aeterna.graph.adapters.lens.adjacency import Ints
    from aeterna.graph.adapters.lens.labels import Labels
    from aeterna.graph.adapters.lens.properties import Properties
    from aeterna.graph.adapters.lens.state import Names
    from aeterna.graph.adapters.lens.topology import Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class Relations:
    """What lives, as Arrow tables.

    ``node`` has number, id, kind and properties; ``edge`` has number, source, type, target and properties.
    """

    node: Arrow
    edge: Arrow

    def register(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let a connection ask for ``node`` and ``edge``."""
        connection.register("node", self.node)
        connection.register("edge", self.edge)


def relations_of(names: Names, topology: Topology, nodes: Properties, edges: Properties) -> Relations:
    """Put what lives into tables; numbers and properties of edges share the state's memory where they can."""
    living = np.flatnonzero(topology.kinds >= 0).astype(np.int32)
    alive = np.flatnonzero(topology.alive).astype(np.int32)
    whole = len(alive) == len(topology.alive)
    source, type_, target = (
        values if whole else values[alive] for values in (topology.source, topology.type, topology.target)
    )
    node = pa.table(
        {
            "number": living,
            "id": names.ids.texts(living),
            "kind": _labelled(topology.kinds[living], names.kinds),
            "properties": nodes.column(living),
        }
    )
    edge = pa.table(
        {
            "number": alive,
            "source": source,
            "type": _labelled(type_, names.types),
            "target": target,
            "properties": edges.column(alive),
        }
    )
    return Relations(node=node, edge=edge)


def _labelled(numbers: Ints, labels: Labels) -> Arrow:
    return pa.DictionaryArray.from_arrays(pa.array(numbers), pa.array(labels.texts, pa.string()))
