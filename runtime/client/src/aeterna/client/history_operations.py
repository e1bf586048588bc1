"""The calls about a graph's history: how each is asked and how its answer is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aeterna.client.graph_operations import ROOT, as_of_text, edge_of, given, node_of, read
from aeterna.client.history_values import (
    Change,
    Counts,
    Difference,
    EdgeChange,
    EdgeKey,
    NodeChange,
    Restored,
    SessionChanges,
    Tag,
)
from aeterna.client.operation import Operation, Reply, query, segment
from aeterna.client.reader import Reader

if TYPE_CHECKING:
    from aeterna.client.graph_operations import AsOf
    from aeterna.client.json_value import JsonValue

CHANGES_PATH = f"{ROOT}/changes"


def tags() -> Operation[tuple[Tag, ...]]:
    """Read every tag."""
    return read(f"{ROOT}/tags", _tags)


def tag(name: str, *, as_of: AsOf | None, keep_seconds: int | None) -> Operation[Tag]:
    """Name a moment; its name is the key by which a repetition is recognised."""
    body: dict[str, JsonValue] = {}
    if as_of is not None:
        body["as_of"] = as_of_text(as_of)
    if keep_seconds is not None:
        body["keep_seconds"] = keep_seconds
    return Operation(service="graph", method="PUT", path=_tag_path(name), body=body, key=name, parse=_tag_reply)


def untag(name: str) -> Operation[None]:
    """Forget a tag."""
    return Operation(service="graph", method="DELETE", path=_tag_path(name), parse=lambda _reply: None)


def diff(
    start: AsOf,
    end: AsOf | None,
    *,
    kinds: tuple[str, ...],
    types: tuple[str, ...],
    limit: int | None,
    cursor: str | None,
    fresh_as: int | None,
) -> Operation[Difference]:
    """Read one page of what differs between two moments."""
    parameters = query(
        to=as_of_text(end),
        kind=kinds,
        type=types,
        limit=limit,
        cursor=cursor,
    )
    start_text = given("start", as_of_text(start) or "")
    return read(f"{ROOT}/diff", _difference, fresh_as=fresh_as, parameters=(("from", start_text), *parameters))


def restore(to: AsOf, *, session_id: str, dry_run: bool) -> Operation[Restored]:
    """Bring the graph back to a moment; the session id is the key by which a repetition is recognised."""
    body: dict[str, JsonValue] = {"to": given("to", as_of_text(to) or ""), "dry_run": dry_run}
    if not dry_run:
        body["session_id"] = session_id
    return Operation(service="graph", method="POST", path=f"{ROOT}/restore", body=body, key=session_id, parse=_restored)


def session_changes_of(fields: Reader) -> SessionChanges:
    """Read one event of the feed."""
    removed = Reader(fields.object("removed"), "event.removed")
    return SessionChanges(
        seq=fields.integer("seq"),
        session_id=fields.text("session_id"),
        committed_at=fields.time("committed_at"),
        part=fields.integer("part"),
        last=fields.flag("last"),
        nodes=tuple(node_of(item) for item in fields.readers("nodes")),
        edges=tuple(edge_of(item) for item in fields.readers("edges")),
        removed_nodes=removed.texts("nodes"),
        removed_edges=tuple(
            EdgeKey(source=item.text("source"), type=item.text("type"), target=item.text("target"))
            for item in removed.readers("edges")
        ),
    )


def _tag_path(name: str) -> str:
    return f"{ROOT}/tags/{segment(given('name', name))}"


def _tag_of(fields: Reader) -> Tag:
    return Tag(
        name=fields.text("name"),
        snapshot_id=fields.text("snapshot_id"),
        seq=fields.integer("seq"),
        committed_at=fields.time("committed_at"),
        expires_at=fields.time("expires_at") if fields.has("expires_at") else None,
    )


def _tag_reply(reply: Reply) -> Tag:
    return _tag_of(Reader.of(reply.body, "tag"))


def _tags(reply: Reply) -> tuple[Tag, ...]:
    return tuple(_tag_of(item) for item in Reader.of(reply.body, "tags").readers("tags"))


def _counts(fields: Reader, name: str) -> Counts:
    counts = Reader(fields.object(name), name)
    return Counts(added=counts.integer("added"), changed=counts.integer("changed"), removed=counts.integer("removed"))


def _difference(reply: Reply) -> Difference:
    fields = Reader.of(reply.body, "difference")
    return Difference(
        from_snapshot_id=fields.text("from_snapshot_id"),
        snapshot_id=fields.text("snapshot_id"),
        node_counts=_counts(fields, "node_counts"),
        edge_counts=_counts(fields, "edge_counts"),
        nodes=tuple(_node_change(item) for item in fields.readers("nodes")),
        edges=tuple(_edge_change(item) for item in fields.readers("edges")),
        next_cursor=fields.optional_text("next_cursor"),
    )


def _node_change(fields: Reader) -> NodeChange:
    before, after = (
        node_of(Reader(fields.object(side), f"node.{side}")) if fields.has(side) else None
        for side in ("before", "after")
    )
    return NodeChange(change=_change(fields), before=before, after=after)


def _edge_change(fields: Reader) -> EdgeChange:
    before, after = (
        edge_of(Reader(fields.object(side), f"edge.{side}")) if fields.has(side) else None
        for side in ("before", "after")
    )
    return EdgeChange(change=_change(fields), before=before, after=after)


def _change(fields: Reader) -> Change:
    return cast("Change", fields.text("change"))  # the services say one of three; a fourth one is theirs to explain


def _restored(reply: Reply) -> Restored:
    fields = Reader.of(reply.body, "restore")
    return Restored(
        session_id=fields.optional_text("session_id"),
        snapshot_id=fields.optional_text("snapshot_id"),
        seq=fields.optional_integer("seq"),
        to_snapshot_id=fields.optional_text("to_snapshot_id"),
        nodes=_counts(fields, "nodes") if fields.has("nodes") else None,
        edges=_counts(fields, "edges") if fields.has("edges") else None,
        repeated=fields.flag("repeated"),
        dry_run=fields.flag("dry_run"),
    )
