"""A table of nodes or edges: what its columns mean, and the parts of the graph that its rows are."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from aeterna.graph.domain.changes import EdgeKey, JsonValue, edge_of, node_of
from aeterna.graph.errors import InvalidSessionError
from aeterna.knowledge.domain.contributions import UNKNOWN_KIND, EdgePart, NodePart

Row = Mapping[str, JsonValue]

NODE_COLUMNS: Final = frozenset({"id", "kind"})
EDGE_COLUMNS: Final = frozenset({"source", "type", "target"})
_SHOWN_CHARS: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A document that is a table: it says things itself, and has no text to find them in."""

    media_type: str
    title: str
    nodes: tuple[NodePart, ...] = ()
    edges: tuple[EdgePart, ...] = ()
    warnings: tuple[str, ...] = ()


class TableRefusedError(ValueError):
    """The table says nothing that a graph can hold; the message is the reason, a clause."""


def is_table_of_graph(columns: Iterable[str]) -> bool:
    """Tell whether the columns are those of nodes or of edges."""
    names = frozenset(columns)
    return names >= NODE_COLUMNS or names >= EDGE_COLUMNS


def table_of(columns: Sequence[str], rows: Iterable[Row], *, media_type: str, title: str) -> Table:
    """Make the table of its rows; raise `TableRefusedError` that names the first row that is wrong."""
    if len(set(columns)) != len(columns):
        raise TableRefusedError("has two columns of the same name")
    if frozenset(columns) >= EDGE_COLUMNS:
        nodes, edges = _edges(rows)
        return Table(media_type=media_type, title=title, nodes=nodes, edges=edges)
    if frozenset(columns) >= NODE_COLUMNS:
        return Table(media_type=media_type, title=title, nodes=_nodes(rows))
    raise TableRefusedError("has neither the columns id and kind nor the columns source, type and target")


def _nodes(rows: Iterable[Row]) -> tuple[NodePart, ...]:
    nodes: dict[str, NodePart] = {}
    for number, row in enumerate(rows, start=1):
        part = NodePart(
            id=_name(row, "id", number), kind=_name(row, "kind", number), properties=_said(row, NODE_COLUMNS)
        )
        with _row(number):
            node_of(part.id, part.kind, part.properties)
        if nodes.setdefault(part.id, part) != part:
            raise TableRefusedError(f"says two things of the node {part.id!r}, the second in row {number}")
    return tuple(nodes.values())


def _edges(rows: Iterable[Row]) -> tuple[tuple[NodePart, ...], tuple[EdgePart, ...]]:
    nodes: dict[str, NodePart] = {}
    edges: dict[EdgeKey, EdgePart] = {}
    for number, row in enumerate(rows, start=1):
        source, type_, target = (_name(row, column, number) for column in ("source", "type", "target"))
        properties = _said(row, EDGE_COLUMNS | {"weight"})
        with _row(number):
            key = edge_of(source, type_, target, properties).key
        part = EdgePart(key=key, weight=weight_of(row.get("weight"), number), properties=properties)
        if edges.setdefault(key, part) != part:
            raise TableRefusedError(f"says two things of the edge {' '.join(key)!r}, the second in row {number}")
        for end in (source, target):
            nodes.setdefault(end, NodePart(id=end, kind=UNKNOWN_KIND))
    return tuple(nodes.values()), tuple(edges.values())


def weight_of(value: JsonValue, row: int) -> float:
    """Return the weight that a cell says, 1 where it says none; raise `TableRefusedError` unless it is above zero."""
    if value is None or value == "":
        return 1.0
    try:
        weight = float(value) if isinstance(value, (str, int, float)) else math.nan
    except (ValueError, OverflowError):
        weight = math.nan
    if not 0 < weight < math.inf:
        raise TableRefusedError(f"has the weight {shown(value)} in row {row}, which is no number above zero")
    return weight


def shown(value: object) -> str:
    """Return a value as a message may show it: short, and without what a terminal would obey."""
    return repr(value)[:_SHOWN_CHARS]


def _name(row: Row, column: str, number: int) -> str:
    value = row.get(column)
    # Ids are often numbers; a float or a truth value as a name is more likely a mistake in the table.
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value:
        return value
    raise TableRefusedError(f"has the {column} {shown(value)} in row {number}, which names nothing")


def _said(row: Row, columns: frozenset[str]) -> Mapping[str, JsonValue]:
    """Return the cells that say something: an empty one is no property."""
    return {name: value for name, value in row.items() if name not in columns and value is not None and value != ""}


@contextmanager
def _row(number: int) -> Generator[None]:
    try:
        yield
    except InvalidSessionError as problem:
        raise TableRefusedError(f"has in row {number} what no graph takes: {problem}") from problem
