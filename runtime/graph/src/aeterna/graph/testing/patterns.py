"""Pattern queries by trying every assignment of the variables."""

from __future__ import annotations

import functools
import itertools
import json
from typing import TYPE_CHECKING, TypeAlias, cast

from aeterna.graph.domain.changes import Edge, Node
from aeterna.graph.domain.questions.filters import number_of, satisfied
from aeterna.graph.domain.questions.patterns import Matches, Order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.graph.domain.changes import EdgeKey, JsonValue
    from aeterna.graph.domain.identifiers import NodeId
    from aeterna.graph.domain.questions.patterns import EdgePattern, Item, NodePattern, Pattern, Value
    from aeterna.graph.testing.state import State

Match: TypeAlias = "dict[str, Node | Edge]"
Rank: TypeAlias = tuple[int, float, tuple[str, ...]]


def matches(state: State, query: Pattern) -> Matches:
    """Return one page of the matches, or their number."""
    found = sorted(_found(state, query), key=functools.cmp_to_key(functools.partial(_compared, query)))
    rows = [tuple(_value(match, item) for item in query.items) for match in found]
    if query.distinct:
        rows = list({json.dumps([_plain(value) for value in row], sort_keys=True): row for row in rows}.values())
    end = query.offset + query.limit
    return Matches(
        snapshot_id=state.snapshot_id,
        seq=state.seq,
        rows=() if query.count else tuple(rows[query.offset : end]),
        count=len(rows) if query.count else None,
        next=end if len(rows) > end and not query.count else None,
    )


def _found(state: State, query: Pattern) -> Iterator[Match]:
    candidates = [[node for node in state.nodes.values() if _fits(pattern, node)] for pattern in query.nodes]
    for nodes in itertools.product(*candidates):
        match: Match = {pattern.name: node for pattern, node in zip(query.nodes, nodes, strict=True)}
        if any(match[one] == match[other] for one, other in query.different):
            continue
        ways = [_ways(state, edge, _id(match[edge.source]), _id(match[edge.target])) for edge in query.edges]
        if not all(ways):
            continue
        named = [(edge.name, way) for edge, way in zip(query.edges, ways, strict=True) if edge.name is not None]
        for chosen in itertools.product(*(way for _, way in named)):
            yield match | {
                name: state.edges[key] for (name, _), key in zip(named, chosen, strict=True) if key is not None
            }


def _fits(pattern: NodePattern, node: Node) -> bool:
    return (
        (not pattern.ids or node.id in pattern.ids)
        and (not pattern.kinds or node.kind in pattern.kinds)
        and satisfied(pattern.where, node.properties)
    )


def _ways(state: State, edge: EdgePattern, start: NodeId, end: NodeId) -> list[EdgeKey | None]:
    """Return the edges that join the two nodes as the pattern wants; a walk of several hops counts as None."""
    steps = [
        step
        for step in state.steps(edge.direction, edge.types)
        if satisfied(edge.where, state.edges[step[2]].properties)
    ]
    if edge.most == 1:
        return list({key: None for here, there, key in steps if (here, there) == (start, end)})
    reached = {start}
    for hop in range(1, edge.most + 1):
        reached = {there for here, there, _ in steps if here in reached}
        if hop >= edge.least and end in reached:
            return [None]
    return []


def _compared(query: Pattern, left: Match, right: Match) -> int:
    rest = [Order(item=item, descending=False) for item in query.items] if query.distinct else []
    for order in (*query.order, *rest):
        if compared := _by(order, left, right):
            return compared
    ours, theirs = _identity(query, left), _identity(query, right)
    return (ours > theirs) - (ours < theirs)


def _by(order: Order, left: Match, right: Match) -> int:
    ours, theirs = _rank(_value(left, order.item)), _rank(_value(right, order.item))
    if ours is None or theirs is None:
        return (ours is None) - (theirs is None)
    compared = (ours > theirs) - (ours < theirs)
    return -compared if order.descending else compared


def _rank(value: Value) -> Rank | None:
    """Return where a value stands: false, true, numbers, texts, then everything else by its JSON; None for none."""
    match value:
        case None:
            return None
        case bool():
            return (0, float(value), ())
        case str():
            return (2, 0.0, (value,))
        case Node():
            return (2, 0.0, (value.id,))
        case Edge():
            return (3, 0.0, (value.key.type, value.key.source, value.key.target))
        case _:
            number = number_of(value)
            return (3, 0.0, (_canonical(value),)) if number is None else (1, number, ())


def _identity(query: Pattern, match: Match) -> list[tuple[str, bool]]:
    """Return the ids of the nodes, then the type of each named edge and whether it points back."""
    nodes = [(str(_id(match[pattern.name])), False) for pattern in query.nodes]
    named = [(edge, match[edge.name]) for edge in query.edges if edge.name is not None]
    return nodes + [
        (found.key.type, found.key.source != _id(match[edge.source]))
        for edge, found in named
        if isinstance(found, Edge)
    ]


def _value(match: Match, item: Item) -> Value:
    thing = match[item.variable]
    if item.property is not None:
        return cast("dict[str, JsonValue]", json.loads(thing.properties)).get(item.property)
    if item.attribute is None:
        return thing
    return cast("str", getattr(thing if isinstance(thing, Node) else thing.key, item.attribute))


def _plain(value: Value) -> object:
    match value:
        case Node():
            return {"node": value.id}
        case Edge():
            return {"edge": value.key}
        case _:
            return value


def _id(thing: Node | Edge) -> NodeId:
    return cast("Node", thing).id  # a node variable is a node


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
