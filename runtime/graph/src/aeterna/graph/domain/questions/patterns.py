"""A pattern of nodes and edges to look for: what it may say, checked when it is made, and the shape of the answer.

A match gives a node to every node variable and an edge to every named edge, so that all of it holds. Two variables
may be the same node unless ``different`` forbids it. An edge without a name only has to be there, so it makes no
further matches; the same goes for an edge that stands for several hops.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from aeterna.graph.domain.identifiers import Label, NodeId, SnapshotId
from aeterna.graph.domain.questions import checks
from aeterna.graph.domain.questions.checks import Direction
from aeterna.graph.domain.questions.filters import MAX_NAME_CHARS, Condition, bounded
from aeterna.graph.errors import InvalidQueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aeterna.graph.domain.changes import Edge, JsonValue, Node

MAX_VARIABLES: Final = 8
MAX_EDGES: Final = 8
MAX_HOPS: Final = 3
MAX_ITEMS: Final = 16
MAX_ROWS: Final = 1_000
MAX_OFFSET: Final = 100_000
VARIABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")

Attribute: TypeAlias = Literal["id", "kind", "source", "type", "target"]
_NODE_ATTRIBUTES: Final[Mapping[str, Attribute]] = {"id": "id", "kind": "kind"}
_EDGE_ATTRIBUTES: Final[Mapping[str, Attribute]] = {"source": "source", "type": "type", "target": "target"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePattern:
    """What a node has to be; empty ``kinds`` and ``ids`` mean any."""

    name: str
    ids: frozenset[NodeId] = frozenset()
    kinds: frozenset[Label] = frozenset()
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgePattern:
    """How two variables are joined: by an edge, or by ``least`` to ``most`` edges one after the other."""

    name: str | None
    source: str
    target: str
    direction: Direction
    types: frozenset[Label]
    where: tuple[Condition, ...]
    least: int = 1
    most: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One value of a match: a whole variable, one of its attributes, or one of its properties."""

    text: str  # as it was asked for
    variable: str
    attribute: Attribute | None = None
    property: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """By which value matches are sorted: false, true, numbers, texts, then arrays and objects by their JSON.

    What is missing or null comes last either way. A whole node stands for its id.
    """

    item: Item
    descending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Build it with `pattern`. Matches come in ``order``, then in order of the ids of the nodes as declared.

    With ``distinct``, rows are what is returned, each once; with ``count``, only their number is wanted.
    """

    nodes: tuple[NodePattern, ...]
    edges: tuple[EdgePattern, ...]
    different: tuple[tuple[str, str], ...]
    items: tuple[Item, ...]
    distinct: bool
    order: tuple[Order, ...]
    limit: int
    count: bool
    offset: int = 0

    @property
    def digest(self) -> str:
        """What a cursor is bound to: everything but the page's size and position."""
        said = [
            [[each.name, sorted(each.ids), sorted(each.kinds), [c.key for c in each.where]] for each in self.nodes],
            [
                [e.name, e.source, e.target, e.direction, sorted(e.types), [c.key for c in e.where], e.least, e.most]
                for e in self.edges
            ],
            self.different,
            [item.text for item in self.items],
            [[order.item.text, order.descending] for order in self.order],
            [self.distinct, self.count],
        ]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


Value: TypeAlias = "Node | Edge | JsonValue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """The rows of one page, each with one value for each item; or their number. ``next`` is the following offset."""

    snapshot_id: SnapshotId | None
    seq: int
    rows: tuple[tuple[Value, ...], ...]
    count: int | None
    next: int | None


def node_pattern(
    name: str,
    *,
    ids: Iterable[str] = (),
    kinds: Iterable[str] = (),
    where: Iterable[Condition] = (),
) -> NodePattern:
    """Check and make one node of a pattern; raise `InvalidQueryError` that names it."""
    field = f"nodes.{_variable(name, 'nodes')}"
    wanted = frozenset(checks.node(id_, f"{field}.id") for id_ in ids)
    checks.within(len(wanted), 0, checks.MAX_FILTERS, f"{field}.id")
    return NodePattern(
        name=name,
        ids=wanted,
        kinds=checks.labels(kinds, f"{field}.kind"),
        where=bounded(list(where), parameter=f"{field}.where"),
    )


def edge_pattern(
    source: str,
    target: str,
    *,
    field: str = "edges",
    name: str | None = None,
    direction: str = "out",
    types: Iterable[str] = (),
    where: Iterable[Condition] = (),
    hops: tuple[int, int] = (1, 1),
) -> EdgePattern:
    """Check and make one edge of a pattern; raise `InvalidQueryError` that names the field."""
    least = checks.within(hops[0], 1, MAX_HOPS, f"{field}.hops.min")
    most = checks.within(hops[1], least, MAX_HOPS, f"{field}.hops.max")
    if name is not None and most > 1:
        raise InvalidQueryError(f"{field}.as", "an edge of several hops has no name: there may be many such ways")
    return EdgePattern(
        name=None if name is None else _variable(name, f"{field}.as"),
        source=source,
        target=target,
        direction=checks.direction(direction, f"{field}.direction"),
        types=checks.labels(types, f"{field}.type"),
        where=bounded(list(where), parameter=f"{field}.where"),
        least=least,
        most=most,
    )


def pattern(
    nodes: Iterable[NodePattern],
    edges: Iterable[EdgePattern] = (),
    *,
    returns: Iterable[str] = (),
    different: Iterable[tuple[str, str]] = (),
    distinct: bool = False,
    order: Iterable[tuple[str, bool]] = (),
    limit: int = 100,
    count: bool = False,
) -> Pattern:
    """Check and make the question; raise `InvalidQueryError` that names the field and what would do."""
    all_nodes, all_edges = tuple(nodes), tuple(edges)
    names = _names(all_nodes, all_edges)
    _require_connected(all_nodes, all_edges)
    asked = tuple(returns) or tuple(node.name for node in all_nodes)
    if len(asked) > MAX_ITEMS:
        raise InvalidQueryError("return", f"at most {MAX_ITEMS} values may be returned, not {len(asked)}")
    items = tuple(_item(text, names, "return") for text in asked)
    keys = tuple(Order(item=_sortable(_item(text, names, "order"), all_nodes), descending=down) for text, down in order)
    if len(keys) > MAX_ITEMS:
        raise InvalidQueryError("order", f"at most {MAX_ITEMS} keys may be given, not {len(keys)}")
    if distinct and not {key.item for key in keys} <= set(items):
        raise InvalidQueryError("order", "distinct rows can only be sorted by what they return")
    return Pattern(
        nodes=all_nodes,
        edges=all_edges,
        different=tuple(_pair(pair, all_nodes) for pair in different),
        items=items,
        distinct=distinct,
        order=keys,
        limit=checks.within(limit, 1, MAX_ROWS, "limit"),
        count=count,
    )


def _names(nodes: tuple[NodePattern, ...], edges: tuple[EdgePattern, ...]) -> Mapping[str, Mapping[str, Attribute]]:
    """Return the attributes that each variable has; raise `InvalidQueryError` when names or numbers do not do."""
    if not 1 <= len(nodes) <= MAX_VARIABLES:
        raise InvalidQueryError("nodes", f"1 to {MAX_VARIABLES} nodes may be given, not {len(nodes)}")
    if len(edges) > MAX_EDGES:
        raise InvalidQueryError("edges", f"at most {MAX_EDGES} edges may be given, not {len(edges)}")
    names: dict[str, Mapping[str, Attribute]] = {}
    for name, attributes in (
        *((node.name, _NODE_ATTRIBUTES) for node in nodes),
        *((edge.name, _EDGE_ATTRIBUTES) for edge in edges if edge.name is not None),
    ):
        if name in names:
            raise InvalidQueryError("nodes", f"{name} is the name of two things")
        names[name] = attributes
    known = {node.name for node in nodes}
    for index, edge in enumerate(edges):
        for end, field in ((edge.source, "from"), (edge.target, "to")):
            if end not in known:
                raise InvalidQueryError(f"edges[{index}].{field}", f"{end[:MAX_NAME_CHARS]!r} is not one of the nodes")
    return names


def _require_connected(nodes: tuple[NodePattern, ...], edges: tuple[EdgePattern, ...]) -> None:
    reached = {nodes[0].name}
    for _ in nodes:
        for edge in edges:
            if edge.source in reached or edge.target in reached:
                reached |= {edge.source, edge.target}
    apart = [node.name for node in nodes if node.name not in reached]
    if apart:
        raise InvalidQueryError(
            "edges",
            f"nothing joins {apart[0]} to {nodes[0].name}: every pair of them would match; add an edge, or ask twice",
        )


def _item(text: str, names: Mapping[str, Mapping[str, Attribute]], field: str) -> Item:
    variable, _, rest = text.partition(".")
    if variable not in names:
        raise InvalidQueryError(field, f"{variable[:MAX_NAME_CHARS]!r} is not a node or a named edge of the pattern")
    attributes = names[variable]
    if not rest and text == variable:
        return Item(text=text, variable=variable)
    if rest in attributes:
        return Item(text=text, variable=variable, attribute=attributes[rest])
    prefix, _, name = rest.partition(".")
    if prefix != "properties" or not 1 <= len(name) <= MAX_NAME_CHARS:
        raise InvalidQueryError(
            field, f"{variable} has {', '.join(attributes)} and properties.<name>, not {rest[:MAX_NAME_CHARS]!r}"
        )
    return Item(text=text, variable=variable, property=name)


def _sortable(item: Item, nodes: tuple[NodePattern, ...]) -> Item:
    if item.attribute is None and item.property is None and item.variable not in {node.name for node in nodes}:
        raise InvalidQueryError("order", f"{item.text} is a whole edge: sort by its type, an end, or a property")
    return item


def _pair(pair: tuple[str, str], nodes: tuple[NodePattern, ...]) -> tuple[str, str]:
    names = {node.name for node in nodes}
    if pair[0] == pair[1] or not names.issuperset(pair):
        raise InvalidQueryError("different", "takes pairs of two different nodes of the pattern")
    return pair


def _variable(name: str, field: str) -> str:
    if VARIABLE.fullmatch(name) is None:
        raise InvalidQueryError(field, f"a name must match {VARIABLE.pattern}")
    return name
