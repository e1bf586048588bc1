"""The calls for questions about more than one node's surroundings."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aeterna.client.graph_operations import ROOT, edge_of, given, node_of, read, snapshot_of
from aeterna.client.graph_values import Neighbor
from aeterna.client.operation import Operation, Reply, query
from aeterna.client.question_values import Hit, Hits, Matched, Matches, Related, RelatedNode, Subgraph
from aeterna.client.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.client.graph_operations import AsOf
    from aeterna.client.graph_values import Direction
    from aeterna.client.json_value import JsonValue
    from aeterna.client.question_values import Value


def subgraph(  # noqa: PLR0913 - one argument for each parameter of the API
    seeds: Sequence[str],
    *,
    depth: int,
    direction: Direction,
    types: tuple[str, ...],
    kinds: tuple[str, ...],
    where: tuple[str, ...],
    max_nodes: int | None,
    max_edges: int | None,
    as_of: AsOf | None,
    fresh_as: int | None,
) -> Operation[Subgraph]:
    """Read the nodes around some nodes, and every edge between them."""
    body: dict[str, JsonValue] = {
        "seeds": [given("seeds", seed) for seed in seeds],
        "depth": depth,
        "direction": direction,
        "types": types,
        "kinds": kinds,
        "where": where,
    }
    body |= {} if max_nodes is None else {"max_nodes": max_nodes}
    body |= {} if max_edges is None else {"max_edges": max_edges}
    return read(f"{ROOT}/subgraph", _subgraph, as_of=as_of, fresh_as=fresh_as, body=body)


def related(
    node_id: str,
    *,
    types: tuple[str, ...],
    kinds: tuple[str, ...],
    limit: int | None,
    as_of: AsOf | None,
    fresh_as: int | None,
) -> Operation[Related]:
    """Read the nodes that are most like one by what they are joined to."""
    parameters = query(node=given("node_id", node_id), type=types, kind=kinds, limit=limit)
    return read(f"{ROOT}/related", _related, as_of=as_of, fresh_as=fresh_as, parameters=parameters)


def matches(
    pattern: Mapping[str, JsonValue], *, cursor: str | None, as_of: AsOf | None, fresh_as: int | None
) -> Operation[Matches]:
    """Read what fits a pattern."""
    body = dict(pattern) if cursor is None else {**pattern, "cursor": cursor}
    return read(f"{ROOT}/query", _matches, as_of=as_of, fresh_as=fresh_as, body=body)


def search(
    text: str, *, kinds: tuple[str, ...], limit: int | None, as_of: AsOf | None, fresh_as: int | None
) -> Operation[Hits]:
    """Read the nodes that hold some words."""
    parameters = query(q=given("text", text), kind=kinds, limit=limit)
    return read(f"{ROOT}/search", _hits, as_of=as_of, fresh_as=fresh_as, parameters=parameters)


def _subgraph(reply: Reply) -> Subgraph:
    fields = Reader.of(reply.body, "subgraph")
    return Subgraph(
        snapshot_id=snapshot_of(reply, fields),
        nodes=tuple(Neighbor(node=node_of(item), depth=item.integer("depth")) for item in fields.readers("nodes")),
        edges=tuple(edge_of(item) for item in fields.readers("edges")),
        more_nodes=fields.flag("more_nodes"),
        more_edges=fields.flag("more_edges"),
    )


def _related(reply: Reply) -> Related:
    fields = Reader.of(reply.body, "related")
    return Related(
        snapshot_id=snapshot_of(reply, fields),
        nodes=tuple(
            RelatedNode(
                node=node_of(item),
                score=item.number("score"),
                shared=item.integer("shared"),
                because=item.texts("because"),
            )
            for item in fields.readers("nodes")
        ),
        hubs=fields.integer("hubs"),
    )


def _matches(reply: Reply) -> Matches:
    fields = Reader.of(reply.body, "matches")
    columns = fields.texts("columns")
    # A column without a second part is a whole node or edge.
    whole = ["." not in column for column in columns]
    return Matches(
        snapshot_id=snapshot_of(reply, fields),
        columns=columns,
        rows=tuple(
            tuple(_value(value) if each else value for value, each in zip(row, whole, strict=True))
            for row in fields.rows("rows")
        ),
        count=fields.optional_integer("count"),
        next_cursor=fields.optional_text("next_cursor"),
    )


def _value(value: JsonValue) -> Value:
    thing = Reader(value, "matches.rows")
    return edge_of(thing) if thing.has("source") else node_of(thing)


def _hits(reply: Reply) -> Hits:
    fields = Reader.of(reply.body, "hits")
    return Hits(
        snapshot_id=snapshot_of(reply, fields),
        hits=tuple(
            Hit(
                id=item.text("id"),
                kind=item.text("kind"),
                score=item.number("score"),
                matched=tuple(_matched(each) for each in item.readers("matched")),
            )
            for item in fields.readers("hits")
        ),
    )


def _matched(fields: Reader) -> Matched:
    places = (cast("Sequence[int]", place) for place in fields.rows("places"))  # pairs, says the API
    return Matched(
        field=fields.text("field"),
        snippet=fields.text("snippet"),
        places=tuple((place[0], place[1]) for place in places),
    )
