"""The JSON of the graph API. Snapshot ids are texts: they have 64 bits, and JavaScript's numbers do not."""

# Without the postponed annotations that we have elsewhere: pydantic and FastAPI read these at run time.
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from aeterna.graph.domain.changes import (
    MAX_CHANGES,
    Edge,
    EdgeKey,
    Session,
    edge_key_of,
    edge_of,
    node_of,
    removed_node_of,
    session_of,
)
from aeterna.graph.domain.identifiers import Json
from aeterna.graph.domain.queries import NeighborFound, Neighbors, NodeFound, Path, Statistics
from aeterna.graph.domain.snapshots import Receipt, Snapshot

Id = Annotated[str, Field(description="1 to 512 characters, no control characters.", examples=["svc:checkout"])]
Kind = Annotated[str, Field(description="1 to 128 of A-Z a-z 0-9 _ . : / -, a letter first.", examples=["Service"])]
Properties = Annotated[
    dict[str, JsonValue], Field(description="At most 64 KiB of JSON, 32 levels deep.", examples=[{"owner": "payments"}])
]
SnapshotText = Annotated[str, Field(description="A snapshot id.", examples=["4212718837592215012"])]
MaybeSnapshot = Annotated[str | None, Field(description="The snapshot that was read; null while the graph is empty.")]


class Body(BaseModel):
    """What all bodies share: nothing but what is documented, and nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NodeBody(Body):
    """A node; its properties replace earlier ones whole."""

    id: Id
    kind: Kind
    properties: Properties = {}


class EdgeKeyBody(Body):
    """What identifies an edge."""

    source: Id
    type: Kind
    target: Id

    @classmethod
    def of(cls, key: EdgeKey) -> Self:
        """Write the key."""
        return cls(source=key.source, type=key.type, target=key.target)


class EdgeBody(EdgeKeyBody):
    """An edge; its properties replace earlier ones whole."""

    properties: Properties = {}

    @classmethod
    def of_edge(cls, edge: Edge) -> Self:
        """Write the edge."""
        return cls(
            source=edge.key.source, type=edge.key.type, target=edge.key.target, properties=object_of(edge.properties)
        )


class RemoveBody(Body):
    """What a session removes. Removing a node removes its edges; removing what is not there does nothing."""

    nodes: list[Id] = []
    edges: list[EdgeKeyBody] = []


class SessionBody(Body):
    """Changes that become visible together or not at all, at most 10,000."""

    session_id: Annotated[str | None, Field(description="1 to 255 characters; or the header Idempotency-Key.")] = None
    nodes: Annotated[list[NodeBody], Field(max_length=MAX_CHANGES)] = []
    edges: Annotated[list[EdgeBody], Field(max_length=MAX_CHANGES)] = []
    remove: RemoveBody = RemoveBody()

    def session(self, id_: str, subject: str) -> Session:
        """Read the body as a session; raise `InvalidSessionError`."""
        return session_of(
            id_,
            subject=subject,
            nodes=[
                node_of(node.id, node.kind, node.properties, field=f"nodes[{index}]")
                for index, node in enumerate(self.nodes)
            ],
            edges=[
                edge_of(edge.source, edge.type, edge.target, edge.properties, field=f"edges[{index}]")
                for index, edge in enumerate(self.edges)
            ],
            removed_nodes=[
                removed_node_of(node, field=f"remove.nodes[{index}]") for index, node in enumerate(self.remove.nodes)
            ],
            removed_edges=[
                edge_key_of(edge.source, edge.type, edge.target, field=f"remove.edges[{index}]")
                for index, edge in enumerate(self.remove.edges)
            ],
        )


class ReceiptBody(Body):
    """The proof that a session is durable."""

    session_id: str
    snapshot_id: SnapshotText
    seq: Annotated[int, Field(description="Gapless within the tenant, from 1.")]
    committed_at: Annotated[datetime, Field(description="As as_of, it names the state up to this very session.")]
    nodes: Annotated[int, Field(description="Nodes written or removed.")]
    edges: Annotated[int, Field(description="Edges written or removed, those of removed nodes included.")]

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """Write the receipt."""
        return cls(
            session_id=receipt.session_id,
            snapshot_id=str(receipt.snapshot_id),
            seq=receipt.seq,
            committed_at=receipt.committed_at,
            nodes=receipt.nodes,
            edges=receipt.edges,
        )


class NodeAnswer(NodeBody):
    """A node as a snapshot has it."""

    snapshot_id: MaybeSnapshot

    @classmethod
    def of(cls, node: NodeFound) -> Self:
        """Write the node."""
        return cls(
            snapshot_id=_text(node.snapshot_id), id=node.id, kind=node.kind, properties=object_of(node.properties)
        )


class NeighborBody(NodeBody):
    """A node, and the fewest steps that lead to it."""

    depth: int

    @classmethod
    def of(cls, node: NeighborFound) -> Self:
        """Write the node."""
        return cls(id=node.id, kind=node.kind, properties=object_of(node.properties), depth=node.depth)


class NeighborsAnswer(Body):
    """A page, in order of depth and then of id. Its edges are those by which its nodes are first reached."""

    snapshot_id: MaybeSnapshot
    nodes: list[NeighborBody]
    edges: list[EdgeBody]
    next_cursor: Annotated[str | None, Field(description="Send it back as cursor for the next page.")]

    @classmethod
    def of(cls, page: Neighbors, cursor: str | None) -> Self:
        """Write the page."""
        return cls(
            snapshot_id=_text(page.snapshot_id),
            nodes=[NeighborBody.of(node) for node in page.nodes],
            edges=[EdgeBody.of_edge(edge) for edge in page.edges],
            next_cursor=cursor,
        )


class PathAnswer(Body):
    """One of the shortest paths."""

    snapshot_id: MaybeSnapshot
    nodes: Annotated[list[Id], Field(description="From source to target.")]
    edges: Annotated[list[EdgeKeyBody], Field(description="Between them, in order, each as it is stored.")]
    hops: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """Write the path."""
        return cls(
            snapshot_id=_text(path.snapshot_id),
            nodes=list(path.nodes),
            edges=[EdgeKeyBody.of(edge) for edge in path.edges],
            hops=len(path.edges),
        )


class SnapshotBody(Body):
    """One atomic commit."""

    snapshot_id: SnapshotText
    committed_at: datetime
    first_seq: int
    last_seq: int
    sessions: Annotated[int, Field(description="How many sessions were committed together.")]

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        """Write the snapshot."""
        return cls(
            snapshot_id=str(snapshot.id),
            committed_at=snapshot.committed_at,
            first_seq=snapshot.first_seq,
            last_seq=snapshot.last_seq,
            sessions=snapshot.sessions,
        )


class StatisticsAnswer(Body):
    """How much a snapshot holds."""

    snapshot_id: MaybeSnapshot
    seq: Annotated[int, Field(description="Of the newest session; 0 before the first.")]
    nodes: int
    edges: int
    node_kinds: Mapping[str, int]
    edge_types: Mapping[str, int]
    degree_mean: Annotated[float, Field(description="Edges that start or end at a node, on average.")]
    degree_max: int
    hub: Annotated[str | None, Field(description="The node of the highest degree, the first by id.")]
    isolated: Annotated[int, Field(description="Nodes without an edge.")]

    @classmethod
    def of(cls, statistics: Statistics) -> Self:
        """Write the counts."""
        return cls(
            snapshot_id=_text(statistics.snapshot_id),
            seq=statistics.seq,
            nodes=statistics.nodes,
            edges=statistics.edges,
            node_kinds={str(kind): count for kind, count in statistics.node_kinds.items()},
            edge_types={str(type_): count for type_, count in statistics.edge_types.items()},
            degree_mean=statistics.degree_mean,
            degree_max=statistics.degree_max,
            hub=statistics.hub,
            isolated=statistics.isolated,
        )


DirectionText = Literal["out", "in", "both"]


def _text(snapshot: int | None) -> str | None:
    return None if snapshot is None else str(snapshot)


def object_of(properties: Json) -> Any:  # noqa: ANN401 - what our own canonical JSON holds; pydantic checks it again
    """Read the properties."""
    return json.loads(properties)
