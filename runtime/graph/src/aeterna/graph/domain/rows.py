"""The layout of a graph's table, which is a public contract, and sessions written as its rows.

One table holds everything of a tenant. ``record`` says what a row is about (node, edge, session) and ``op`` what
became of it (upsert, delete). The row with the highest ``seq`` wins for each node id and each edge key. Every
session also writes one row of its own, so that it is known for ever, whatever happens to old snapshots.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from aeterna.graph.domain.arrow import Table, pa
from aeterna.graph.domain.changes import EdgeKey, Session
from aeterna.graph.domain.identifiers import NodeId

if TYPE_CHECKING:
    from collections.abc import Sequence


Rows: TypeAlias = Table  # always of ROW_SCHEMA

LAYOUT_VERSION: Final = 1
ROW_SCHEMA: Final = pa.schema(
    [
        pa.field("record", pa.string(), nullable=False),
        pa.field("op", pa.string(), nullable=False),
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("session", pa.string(), nullable=False),
        pa.field("committed_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("subject", pa.string(), nullable=False),
        pa.field("id", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("source", pa.string()),
        pa.field("type", pa.string()),
        pa.field("target", pa.string()),
        pa.field("properties", pa.string()),
        pa.field("digest", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A session that may be written, with what follows from the state it meets."""

    session: Session
    seq: int
    committed_at: datetime
    removed_nodes: tuple[NodeId, ...]
    removed_edges: tuple[EdgeKey, ...]  # the asked ones that exist, and those that go with a removed node

    @property
    def nodes(self) -> int:
        """Node rows of the session."""
        return len(self.session.nodes) + len(self.removed_nodes)

    @property
    def edges(self) -> int:
        """Edge rows of the session."""
        return len(self.session.edges) + len(self.removed_edges)


def rows_of(sessions: Sequence[Accepted]) -> Rows:
    """Write the sessions as rows, in their order."""
    return pa.concat_tables([_session_rows(accepted) for accepted in sessions])


def _session_rows(accepted: Accepted) -> Rows:
    session = accepted.session
    nodes, edges = session.nodes, session.edges
    gone_nodes, gone_edges = accepted.removed_nodes, accepted.removed_edges
    keys = [*(edge.key for edge in edges), *gone_edges]
    counts = json.dumps({"edges": accepted.edges, "nodes": accepted.nodes}, separators=(",", ":"))
    node_rows, edge_rows = accepted.nodes, accepted.edges
    size = node_rows + edge_rows + 1
    no_node, no_edge = [None] * node_rows, [None] * edge_rows
    columns: dict[str, list[Any]] = {  # Any: each column has a type of its own, which ROW_SCHEMA checks
        "record": ["node"] * node_rows + ["edge"] * edge_rows + ["session"],
        "op": (
            ["upsert"] * len(nodes)
            + ["delete"] * len(gone_nodes)
            + ["upsert"] * len(edges)
            + ["delete"] * len(gone_edges)
            + ["upsert"]
        ),
        "seq": [accepted.seq] * size,
        "session": [session.id] * size,
        "committed_at": [accepted.committed_at] * size,
        "subject": [session.subject] * size,
        "id": [*(node.id for node in nodes), *gone_nodes, *no_edge, None],
        "kind": [*(node.kind for node in nodes), *([None] * len(gone_nodes)), *no_edge, None],
        "source": [*no_node, *(key.source for key in keys), None],
        "type": [*no_node, *(key.type for key in keys), None],
        "target": [*no_node, *(key.target for key in keys), None],
        "properties": [
            *(node.properties for node in nodes),
            *([None] * len(gone_nodes)),
            *(edge.properties for edge in edges),
            *([None] * len(gone_edges)),
            counts,
        ],
        "digest": [None] * (size - 1) + [session.digest],
    }
    return pa.Table.from_pydict(columns, schema=ROW_SCHEMA)
