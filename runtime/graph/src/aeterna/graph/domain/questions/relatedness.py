"""Which nodes are like a node by what they are joined to: the question, the measure, and the shape of the answer.

The measure is Adamic and Adar's (Friends and neighbors on the Web, 2003): the sum, over the neighbours that both
nodes have, of 1 / ln(degree). A neighbour that everything has says little; one that few have says much. The degree
of a node is how many other nodes it is joined to, by the walked types and whichever way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.identifiers import Json, Label, NodeId, SnapshotId
from aeterna.graph.domain.questions import checks

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_RELATED: Final = 100
MAX_SHARED: Final = 10
SCORE_DIGITS: Final = 9  # more would let the order of a sum decide between equals
MAX_STEPS: Final = 500_000  # ends of edges that one question looks at


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedQuery:
    """Build it with `related_query`. ``types`` limits the edges, ``kinds`` the nodes that are returned.

    ``steps`` is how many ends of edges may be looked at.
    """

    node: NodeId
    types: frozenset[Label]
    kinds: frozenset[Label]
    limit: int
    steps: int = MAX_STEPS


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedNode:
    """A node like the one asked about, and why: how many neighbours both have, and the most telling ten."""

    id: NodeId
    kind: Label
    properties: Json
    score: float
    shared: int
    because: tuple[NodeId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """The most alike first, then in order of id.

    ``hubs`` counts the neighbours that were left out, those of the highest degrees first: together they lead to more
    nodes than one question looks at, and each says next to nothing.
    """

    snapshot_id: SnapshotId | None
    seq: int
    nodes: tuple[RelatedNode, ...]
    hubs: int


def related_query(node: str, *, types: Iterable[str] = (), kinds: Iterable[str] = (), limit: int = 20) -> RelatedQuery:
    """Check and make the question; raise `InvalidQueryError` that names the parameter and what would do."""
    return RelatedQuery(
        node=checks.node(node, "node"),
        types=checks.labels(types, "type"),
        kinds=checks.labels(kinds, "kind"),
        limit=checks.within(limit, 1, MAX_RELATED, "limit"),
    )
