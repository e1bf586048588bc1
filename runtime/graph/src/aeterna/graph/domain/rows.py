"""The layout of a graph's table, which is a public contract, and sessions written as its rows.

One table holds everything of a tenant. ``record`` says what a row is about (node, edge, session, hold, erasure) and
``op`` what became of it (upsert, delete). The row with the highest ``seq`` wins for each node id, each edge key, and
each id of a hold or an erasure. Every session also writes one row of its own, so that it is known for ever, whatever
happens to old snapshots.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from aeterna.graph.domain.arrow import Table, pa, pc, untyped
from aeterna.graph.domain.changes import EdgeKey, Session
from aeterna.graph.domain.identifiers import NodeId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.graph.domain.identifiers import SessionId
    from aeterna.graph.domain.snapshots import Stamp


Rows: TypeAlias = Table  # always of ROW_SCHEMA

LAYOUT_VERSION: Final = 2  # 1 had neither holds and erasures nor floors and epochs
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
    columns: dict[str, list[Any]] = {name: [] for name in ROW_SCHEMA.names}  # Any: ROW_SCHEMA checks the types
    for accepted in sessions:
        for name, values in _columns(accepted).items():
            columns[name] += values
    # In one piece: everything that follows costs more the more pieces there are.
    return pa.Table.from_pydict(columns, schema=ROW_SCHEMA)


CHANGE_COLUMNS: Final = ("record", "op", "id", "kind", "source", "type", "target", "properties")


def change_rows(changes: Table, *, session: SessionId, subject: str, stamp: Stamp, digest: str) -> Rows:
    """Write changes of any number as one session, its own row included.

    ``changes`` has `CHANGE_COLUMNS`; records other than nodes and edges may be among them. The caller answers for what
    `session_of` would have checked: nothing twice, and no edge without its nodes.
    """
    counts = {f"{name}s": pc.sum(pc.equal(changes["record"], name)).as_py() or 0 for name in ("edge", "node")}
    own = {"record": "session", "op": "upsert", "properties": json.dumps(counts, separators=(",", ":"))}
    last = pa.table({name: pa.array([own.get(name)], pa.string()) for name in CHANGE_COLUMNS})
    rows = pa.concat_tables([untyped(changes.select(CHANGE_COLUMNS)).cast(last.schema), last])
    size = rows.num_rows
    constant = {
        "seq": pa.repeat(pa.scalar(stamp.seq, pa.int64()), size),
        "session": pa.repeat(session, size),
        "committed_at": pa.repeat(pa.scalar(stamp.committed_at, pa.timestamp("us", tz="UTC")), size),
        "subject": pa.repeat(subject, size),
        "digest": pa.concat_arrays([pa.nulls(size - 1, pa.string()), pa.array([digest])]),
    }
    columns = [constant[name] if name in constant else rows[name] for name in ROW_SCHEMA.names]
    return pa.Table.from_arrays(columns, schema=ROW_SCHEMA)


def _columns(accepted: Accepted) -> dict[str, list[Any]]:  # Any: as above
    session = accepted.session
    nodes, edges = session.nodes, session.edges
    gone_nodes, gone_edges = accepted.removed_nodes, accepted.removed_edges
    keys = [*(edge.key for edge in edges), *gone_edges]
    counts = json.dumps({"edges": accepted.edges, "nodes": accepted.nodes}, separators=(",", ":"))
    node_rows, edge_rows = accepted.nodes, accepted.edges
    size = node_rows + edge_rows + 1
    no_node, no_edge = [None] * node_rows, [None] * edge_rows
    return {
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
