"""The calls of the graph API: how each is asked and how its answer is read."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from aeterna.client.errors import InvalidArgumentError
from aeterna.client.graph_values import (
    Commit,
    Direction,
    Edge,
    FoundNode,
    Neighbor,
    Neighborhood,
    Node,
    Path,
    Snapshot,
    Statistics,
)
from aeterna.client.operation import Operation, Reply, query, segment
from aeterna.client.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.client.json_value import JsonObject
    from aeterna.client.session import Session

T = TypeVar("T")

ROOT = "/api/v1/graph"
SNAPSHOT_HEADER = "Aeterna-Snapshot"
SEQ_HEADER = "Aeterna-Seq"
AsOf: TypeAlias = str | int | datetime
"""A snapshot id, the name of a tag, ``seq:`` and a number, or a time: RFC 3339 text or an aware datetime."""


def commit(session: Session) -> Operation[Commit]:
    """Write all of a session in one snapshot; its id is the key by which a repetition is recognised."""
    return Operation(
        service="graph",
        method="POST",
        path=f"{ROOT}/sessions",
        body=session.document(),
        key=session.session_id,
        parse=_commit,
    )


def node(node_id: str, *, as_of: AsOf | None, fresh_as: int | None) -> Operation[FoundNode]:
    """Read one node."""

    def parse(reply: Reply) -> FoundNode:
        fields = Reader.of(reply.body, "node")
        return FoundNode(snapshot_id=snapshot_of(reply, fields), node=node_of(fields))

    path = f"{ROOT}/nodes/{segment(given('node_id', node_id))}"
    return read(path, parse, as_of=as_of, fresh_as=fresh_as)


def neighbors(  # noqa: PLR0913 - one argument for each parameter of the API
    node_id: str,
    *,
    depth: int,
    direction: Direction,
    types: tuple[str, ...],
    kinds: tuple[str, ...],
    where: tuple[str, ...],
    as_of: AsOf | None,
    limit: int | None,
    cursor: str | None,
    fresh_as: int | None,
) -> Operation[Neighborhood]:
    """Read one page of the nodes around a node."""
    parameters = query(
        node=given("node_id", node_id),
        depth=depth,
        direction=direction,
        type=types,
        kind=kinds,
        where=where,
        limit=limit,
        cursor=cursor,
    )
    return read(f"{ROOT}/neighbors", _neighborhood, as_of=as_of, fresh_as=fresh_as, parameters=parameters)


def shortest_path(
    source: str,
    target: str,
    *,
    max_hops: int | None,
    direction: Direction,
    types: tuple[str, ...],
    as_of: AsOf | None,
    fresh_as: int | None,
) -> Operation[Path]:
    """Read one shortest path."""
    parameters = query(
        source=given("source", source),
        target=given("target", target),
        max_hops=max_hops,
        direction=direction,
        type=types,
    )
    return read(f"{ROOT}/paths/shortest", _path, as_of=as_of, fresh_as=fresh_as, parameters=parameters)


def snapshots(*, limit: int | None) -> Operation[tuple[Snapshot, ...]]:
    """Read the snapshots that can be read as of, the newest first."""
    return read(f"{ROOT}/snapshots", _snapshots, parameters=query(limit=limit))


def statistics(*, as_of: AsOf | None, fresh_as: int | None) -> Operation[Statistics]:
    """Read how large the graph is."""
    return read(f"{ROOT}/statistics", _statistics, as_of=as_of, fresh_as=fresh_as)


def as_of_text(as_of: AsOf | None) -> str | None:
    """Return a point of the graph's history as the API takes it."""
    if as_of is None or isinstance(as_of, str):
        return as_of
    if isinstance(as_of, datetime):
        if as_of.tzinfo is None:
            raise InvalidArgumentError("as_of", "a datetime needs a time zone, for example datetime.now(timezone.utc)")
        return as_of.isoformat()
    return str(as_of)


def given(argument: str, value: str) -> str:
    """Return a text that must not be empty."""
    if not value:
        raise InvalidArgumentError(argument, "is empty")
    return value


def read(
    path: str,
    parse: Callable[[Reply], T],
    *,
    as_of: AsOf | None = None,
    fresh_as: int | None = None,
    parameters: tuple[tuple[str, str], ...] = (),
    body: JsonObject | None = None,
) -> Operation[T]:
    """Return a read, by POST where the question is a ``body``.

    Without ``as_of`` it is asked to see at least the session of the seq ``fresh_as`` (read your writes).
    """
    headers = {SEQ_HEADER: str(fresh_as)} if fresh_as is not None and as_of is None else {}
    return Operation(
        service="graph",
        method="GET" if body is None else "POST",
        path=path,
        query=parameters + query(as_of=as_of_text(as_of)),
        headers=headers,
        body=body,
        reading=True,
        parse=parse,
    )


def snapshot_of(reply: Reply, fields: Reader) -> str:
    """Return which snapshot an answer is of."""
    return fields.optional_text("snapshot_id") or reply.headers.get(SNAPSHOT_HEADER.lower(), "")


def _commit(reply: Reply) -> Commit:
    fields = Reader.of(reply.body, "commit")
    return Commit(
        session_id=fields.text("session_id"),
        snapshot_id=fields.text("snapshot_id"),
        seq=fields.integer("seq"),
        committed_at=fields.time("committed_at"),
        nodes=fields.integer("nodes"),
        edges=fields.integer("edges"),
        repeated=reply.status == HTTPStatus.OK,
    )


def node_of(fields: Reader) -> Node:
    """Read a node."""
    return Node(id=fields.text("id"), kind=fields.text("kind"), properties=fields.object("properties"))


def edge_of(fields: Reader) -> Edge:
    """Read an edge."""
    return Edge(
        source=fields.text("source"),
        type=fields.text("type"),
        target=fields.text("target"),
        properties=fields.object("properties"),
    )


def _neighborhood(reply: Reply) -> Neighborhood:
    fields = Reader.of(reply.body, "neighbourhood")
    return Neighborhood(
        snapshot_id=fields.text("snapshot_id"),
        nodes=tuple(Neighbor(node=node_of(item), depth=item.integer("depth")) for item in fields.readers("nodes")),
        edges=tuple(edge_of(item) for item in fields.readers("edges")),
        next_cursor=fields.optional_text("next_cursor"),
    )


def _path(reply: Reply) -> Path:
    fields = Reader.of(reply.body, "path")
    return Path(
        snapshot_id=fields.text("snapshot_id"),
        nodes=fields.texts("nodes"),
        edges=tuple(edge_of(item) for item in fields.readers("edges")),
        hops=fields.integer("hops"),
    )


def _snapshots(reply: Reply) -> tuple[Snapshot, ...]:
    return tuple(
        Snapshot(
            snapshot_id=item.text("snapshot_id"),
            committed_at=item.time("committed_at"),
            facts=item.rest("snapshot_id", "committed_at"),
        )
        for item in Reader.of(reply.body, "snapshots").readers("snapshots")
    )


def _statistics(reply: Reply) -> Statistics:
    fields = Reader.of(reply.body, "statistics")
    return Statistics(
        snapshot_id=fields.text("snapshot_id"),
        nodes=fields.integer("nodes"),
        edges=fields.integer("edges"),
        facts=fields.rest("snapshot_id", "nodes", "edges"),
    )
