"""What the graph does not show yet, and the session of the graph that makes it do so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.changes import MAX_CHANGES, EdgeKey, session_of
from aeterna.graph.domain.identifiers import NodeId
from aeterna.knowledge.domain.elements import SaidOfEdge, SaidOfNode, shown_edge, shown_node

if TYPE_CHECKING:
    from collections.abc import Collection

    from aeterna.graph.domain.changes import Session

SUBJECT: Final = "aeterna:knowledge"
"""As whom the ledger writes to the graph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceLimits:
    """How much one session takes: changes, and about how many bytes of properties."""

    changes: int = MAX_CHANGES
    size: int = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The next slice of what the graph is to show anew, the positions above ``after`` up to ``upto``.

    For each node and edge, all that documents say of it now, which may be nothing.
    """

    ledger: str
    after: int
    upto: int
    nodes: Mapping[NodeId, Sequence[SaidOfNode]]
    edges: Mapping[EdgeKey, Sequence[SaidOfEdge]]

    def edges_at(self, nodes: Collection[str]) -> tuple[EdgeKey, ...]:
        """Return the edges that would be written and have one of the nodes as an end."""
        return tuple(key for key, said in self.edges.items() if said and (key.source in nodes or key.target in nodes))


def session_of_slice(pending: Pending, *, without: Collection[EdgeKey] = ()) -> Session | None:
    """Return the session that shows a slice, or None when nothing of it is left.

    Its id follows from the positions alone. So of two who publish a slice one is refused, and what they may differ in
    is what was changed meanwhile, which is behind the slice once more.
    """
    edges = {key: said for key, said in pending.edges.items() if key not in without}
    if not pending.nodes and not edges:
        return None
    return session_of(
        f"knowledge:{pending.ledger}:{pending.after}-{pending.upto}",
        subject=SUBJECT,
        nodes=[shown_node(said) for said in pending.nodes.values() if said],
        edges=[shown_edge(said) for said in edges.values() if said],
        removed_nodes=[node for node, said in pending.nodes.items() if not said],
        removed_edges=[key for key, said in edges.items() if not said],
    )
