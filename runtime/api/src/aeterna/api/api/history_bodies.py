"""The JSON of a graph's history: snapshots, tags, differences and restores."""

# Without the postponed annotations that we have elsewhere: pydantic and FastAPI read these at run time.
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from aeterna.api.api.bodies import Body, EdgeBody, NodeBody, SnapshotBody, SnapshotText, object_of
from aeterna.graph.domain.changes import Node
from aeterna.graph.domain.diffs import Counts, Diff, EdgeChange, NodeChange
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.domain.tags import Tag
from aeterna.graph.usecases.restoring import Restoration

Change = Literal["added", "changed", "removed"]
MomentText = Annotated[
    str,
    Field(
        description="A time (RFC 3339, with offset), a tag, seq:NUMBER or a snapshot id.",
        examples=["backup-20261101T060000Z"],
    ),
]
NextCursor = Annotated[str | None, Field(description="Send it back as cursor for the next page.")]
_LONGEST_KEPT = 100 * 366 * 24 * 3600


class SnapshotsAnswer(Body):
    """A page of the readable snapshots, newest first; ``snapshot_id`` is the page's newest."""

    snapshot_id: str | None
    snapshots: list[SnapshotBody]
    next_cursor: NextCursor

    @classmethod
    def of(cls, snapshots: tuple[Snapshot, ...], cursor: str | None) -> Self:
        """Write the page."""
        return cls(
            snapshot_id=str(snapshots[0].id) if snapshots else None,
            snapshots=[SnapshotBody.of(snapshot) for snapshot in snapshots],
            next_cursor=cursor,
        )


class TagRequest(Body):
    """What a tag shall name, and for how long."""

    as_of: Annotated[
        MomentText | None, Field(description="The moment to name, as in every question; now when it is left out.")
    ] = None
    keep_seconds: Annotated[
        int | None,
        Field(ge=1, le=_LONGEST_KEPT, description="How long from now; for ever when it is left out."),
    ] = None


class TagBody(Body):
    """A name that keeps a snapshot readable."""

    name: str
    snapshot_id: SnapshotText
    seq: Annotated[int, Field(description="Of the newest session in the snapshot.")]
    committed_at: Annotated[datetime, Field(description="When that session was committed.")]
    expires_at: Annotated[datetime | None, Field(description="The next maintenance after it removes the tag.")]

    @classmethod
    def of(cls, tag: Tag) -> Self:
        """Write the tag."""
        return cls(
            name=tag.name,
            snapshot_id=str(tag.snapshot.id),
            seq=tag.snapshot.last_seq,
            committed_at=tag.snapshot.committed_at,
            expires_at=tag.expires_at,
        )


class TagsAnswer(Body):
    """Every tag, in order of their names."""

    tags: list[TagBody]

    @classmethod
    def of(cls, tags: tuple[Tag, ...]) -> Self:
        """Write the list."""
        return cls(tags=[TagBody.of(tag) for tag in tags])


class CountsBody(Body):
    """How many differ, on all pages."""

    added: int
    changed: int
    removed: int

    @classmethod
    def of(cls, counts: Counts) -> Self:
        """Write the counts."""
        return cls(added=counts.added, changed=counts.changed, removed=counts.removed)


class NodeChangeBody(Body):
    """A node that differs; ``before`` is null when it was added, ``after`` when it was removed."""

    change: Change
    before: NodeBody | None
    after: NodeBody | None

    @classmethod
    def of(cls, change: NodeChange) -> Self:
        """Write the change."""
        return cls(change=change.change, before=_node(change.before), after=_node(change.after))


class EdgeChangeBody(Body):
    """An edge that differs; ``before`` is null when it was added, ``after`` when it was removed."""

    change: Change
    before: EdgeBody | None
    after: EdgeBody | None

    @classmethod
    def of(cls, change: EdgeChange) -> Self:
        """Write the change."""
        return cls(
            change=change.change,
            before=EdgeBody.of_edge(change.before) if change.before else None,
            after=EdgeBody.of_edge(change.after) if change.after else None,
        )


class DiffAnswer(Body):
    """A page of what differs: nodes in order of their ids, then edges in order of source, type and target."""

    from_snapshot_id: Annotated[SnapshotText, Field(description="Of the moment `from`.")]
    from_seq: int
    snapshot_id: Annotated[SnapshotText, Field(description="Of the moment `to`.")]
    seq: int
    node_counts: CountsBody
    edge_counts: CountsBody
    nodes: list[NodeChangeBody]
    edges: list[EdgeChangeBody]
    next_cursor: NextCursor

    @classmethod
    def of(cls, diff: Diff, cursor: str | None) -> Self:
        """Write the page."""
        return cls(
            from_snapshot_id=str(diff.start.id),
            from_seq=diff.start.last_seq,
            snapshot_id=str(diff.end.id),
            seq=diff.end.last_seq,
            node_counts=CountsBody.of(diff.node_counts),
            edge_counts=CountsBody.of(diff.edge_counts),
            nodes=[NodeChangeBody.of(change) for change in diff.nodes],
            edges=[EdgeChangeBody.of(change) for change in diff.edges],
            next_cursor=cursor,
        )


class RestoreRequest(Body):
    """Which moment to bring the graph back to."""

    to: MomentText
    session_id: Annotated[str | None, Field(description="1 to 255 characters; or the header Idempotency-Key.")] = None
    dry_run: Annotated[bool, Field(description="Only say what would change.")] = False


class RestoreAnswer(Body):
    """What a restore changed, or would change. Null counts: it had been done before, and nothing was written now."""

    session_id: Annotated[str | None, Field(description="Null for a dry run, like the next three.")]
    snapshot_id: str | None
    seq: int | None
    committed_at: datetime | None
    to_snapshot_id: Annotated[
        str | None, Field(description="Of the moment gone back to; null when it had been done before.")
    ]
    to_seq: int | None
    nodes: Annotated[CountsBody | None, Field(description="added: come back; removed: go; changed: as they were.")]
    edges: CountsBody | None
    repeated: Annotated[bool, Field(description="Whether it had been done before.")]
    dry_run: bool

    @classmethod
    def of(cls, done: Restoration) -> Self:
        """Write the restoration."""
        receipt = done.receipt
        return cls(
            session_id=receipt.session_id if receipt else None,
            snapshot_id=str(receipt.snapshot_id) if receipt else None,
            seq=receipt.seq if receipt else None,
            committed_at=receipt.committed_at if receipt else None,
            to_snapshot_id=str(done.to.id) if done.to else None,
            to_seq=done.to.last_seq if done.to else None,
            nodes=CountsBody.of(done.nodes) if done.nodes else None,
            edges=CountsBody.of(done.edges) if done.edges else None,
            repeated=receipt.repeated if receipt else False,
            dry_run=receipt is None,
        )


def _node(node: Node | None) -> NodeBody | None:
    if node is None:
        return None
    return NodeBody(id=node.id, kind=node.kind, properties=object_of(node.properties))
