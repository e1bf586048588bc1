"""The piece of a graph around some nodes: which one is asked for, and the shape of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.changes import Edge
from aeterna.graph.domain.identifiers import Label, NodeId, SnapshotId
from aeterna.graph.domain.queries import MOST_DEPTH, NeighborFound
from aeterna.graph.domain.questions import checks
from aeterna.graph.domain.questions.checks import Direction
from aeterna.graph.domain.questions.filters import Condition, bounded
from aeterna.graph.errors import InvalidQueryError

if TYPE_CHECKING:
    from collections.abc import Iterable


MAX_SEEDS: Final = 64
MAX_NODES: Final = 1_000
MAX_EDGES: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphQuery:
    """The nodes at most ``depth`` steps from any seed, and every edge between them. Build it with `subgraph_query`.

    ``types`` limits the edges that are walked and returned. ``kinds`` and ``where`` limit the nodes that are
    returned, not those walked through; a seed is always returned.
    """

    seeds: tuple[NodeId, ...]
    depth: int
    direction: Direction
    types: frozenset[Label]
    kinds: frozenset[Label]
    where: tuple[Condition, ...]
    nodes: int
    edges: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgraph:
    """Nodes in order of depth and then of id, edges in order of source, type and target.

    ``more_nodes`` and ``more_edges`` say that a limit left some out; the edges are then those between the nodes here.
    """

    snapshot_id: SnapshotId | None
    seq: int
    nodes: tuple[NeighborFound, ...]
    edges: tuple[Edge, ...]
    more_nodes: bool
    more_edges: bool


def subgraph_query(
    seeds: Iterable[str],
    *,
    depth: int = 1,
    direction: str = "both",
    types: Iterable[str] = (),
    kinds: Iterable[str] = (),
    where: Iterable[Condition] = (),
    nodes: int = 200,
    edges: int = 1_000,
) -> SubgraphQuery:
    """Check and make the question; raise `InvalidQueryError` that names the parameter and what would do."""
    distinct = tuple(sorted({checks.node(seed, "seeds") for seed in seeds}))
    if not 1 <= len(distinct) <= MAX_SEEDS:
        raise InvalidQueryError("seeds", f"1 to {MAX_SEEDS} nodes may be given, not {len(distinct)}")
    return SubgraphQuery(
        seeds=distinct,
        depth=checks.within(depth, 0, MOST_DEPTH, "depth"),
        direction=checks.direction(direction),
        types=checks.labels(types, "types"),
        kinds=checks.labels(kinds, "kinds"),
        where=bounded(list(where), parameter="where"),
        nodes=checks.within(nodes, len(distinct), MAX_NODES, "max_nodes"),
        edges=checks.within(edges, 0, MAX_EDGES, "max_edges"),
    )
