"""What fits a pattern: found by DuckDB as numbers, and read from the state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import duckdb
import numpy as np

from aeterna.graph.adapters.questions.pattern_sql import count_of, page_of
from aeterna.graph.domain.changes import Edge, Node
from aeterna.graph.domain.questions.patterns import Matches
from aeterna.graph.errors import QueryTooLargeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.graph.adapters.lens.asking import Asking
    from aeterna.graph.adapters.lens.state import LensState
    from aeterna.graph.adapters.questions.pattern_sql import Statement
    from aeterna.graph.domain.changes import JsonValue
    from aeterna.graph.domain.questions.patterns import Item, Pattern, Value


def matches(asking: Asking, query: Pattern) -> Matches:
    """Return one page of the matches, or their number."""
    state = asking.state
    snapshot_id = state.snapshot.id if state.snapshot else None
    seq = state.snapshot.last_seq if state.snapshot else 0
    if query.count:
        count = _rows(asking, count_of(query))[0][0]
        return Matches(snapshot_id=snapshot_id, seq=seq, rows=(), count=count, next=None)
    statement = page_of(query)
    found = _rows(asking, statement)
    more = len(found) > query.limit
    found = found[: query.limit]
    asking.check()
    nodes = {node.name for node in query.nodes}
    columns = {
        name: _nodes(state, numbers) if name in nodes else _edges(state, numbers)
        for name, numbers in zip(statement.columns, zip(*found, strict=True), strict=False)
    }
    return Matches(
        snapshot_id=snapshot_id,
        seq=seq,
        rows=tuple(
            tuple(_value(columns[item.variable][row], item) for item in query.items) for row in range(len(found))
        ),
        count=None,
        next=query.offset + query.limit if more else None,
    )


def _rows(asking: Asking, statement: Statement) -> list[tuple[int, ...]]:
    try:
        return asking.sql().execute(statement.text, statement.parameters.values).fetchall()
    except duckdb.OutOfMemoryException as exhausted:
        raise QueryTooLargeError from exhausted


def _nodes(state: LensState, numbers: Sequence[int]) -> Sequence[Node | Edge]:
    wanted = np.array(numbers, dtype=np.int32)
    found = zip(state.ids(wanted), state.kinds_of(wanted), state.node_properties(wanted), strict=True)
    return [Node(id=id_, kind=kind, properties=properties) for id_, kind, properties in found]


def _edges(state: LensState, numbers: Sequence[int]) -> Sequence[Node | Edge]:
    wanted = np.array(numbers, dtype=np.int32)
    found = zip(state.keys(wanted), state.edge_properties(wanted), strict=True)
    return [Edge(key=key, properties=properties) for key, properties in found]


def _value(thing: Node | Edge, item: Item) -> Value:
    if item.property is not None:
        return cast("Mapping[str, JsonValue]", json.loads(thing.properties)).get(item.property)
    if item.attribute is None:
        return thing
    return cast("str", getattr(thing if isinstance(thing, Node) else thing.key, item.attribute))
