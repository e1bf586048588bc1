"""Which nodes hold some words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.graph.domain.identifiers import NodeId
from aeterna.graph.domain.questions.searches import Hit, Hits, matched

if TYPE_CHECKING:
    from aeterna.graph.adapters.lens.asking import Asking
    from aeterna.graph.domain.questions.searches import SearchQuery


def search(asking: Asking, query: SearchQuery) -> Hits:
    """Return the nodes that hold some words, as of the newest state of the lens."""
    state, found = asking.words.find(query, asking.check)
    numbers = state.numbers([id_ for id_, _ in found.best])
    described = zip(found.best, state.kinds_of(numbers), state.node_properties(numbers), strict=True)
    return Hits(
        snapshot_id=state.snapshot.id if state.snapshot else None,
        seq=state.snapshot.last_seq if state.snapshot else 0,
        hits=tuple(
            Hit(id=NodeId(id_), kind=kind, score=score, matched=matched(query, NodeId(id_), properties))
            for (id_, score), kind, properties in described
        ),
        nodes=int((state.topology.kinds >= 0).sum()) if query.match == "any" else 0,
        holders=found.holders,
    )
