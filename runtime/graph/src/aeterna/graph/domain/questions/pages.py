"""How much of an answer goes on one page, in bytes of names and properties."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from aeterna.graph.domain.changes import Edge, Node
from aeterna.graph.domain.queries import Position
from aeterna.graph.errors import AnswerTooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aeterna.graph.domain.identifiers import NodeId
    from aeterna.graph.domain.queries import NeighborFound, Neighbors
    from aeterna.graph.domain.questions.patterns import Matches, Value
    from aeterna.graph.domain.questions.relatedness import Related, RelatedNode
    from aeterna.graph.domain.questions.subgraphs import Subgraph


def neighbors_within(page: Neighbors, most: int) -> Neighbors:
    """Return as many of the page's first nodes, with their edges, as have ``most`` bytes together.

    Raise `AnswerTooLargeError` when the first node alone, with the edges that lead to it, has more.
    """
    depth_of = {node.id: node.depth for node in page.nodes}
    sizes = {node.id: _node_size(node) for node in page.nodes}
    for edge in page.edges:
        sizes[_reached(edge, depth_of)] += _edge_size(edge)
    kept = _fitting(sizes.values(), most)
    if kept == len(page.nodes):
        return page
    if kept == 0:
        raise AnswerTooLargeError(
            next(iter(sizes.values())), most, "one node and the edges that lead to it are too much; walk fewer types"
        )
    nodes = page.nodes[:kept]
    here = {node.id for node in nodes}
    return replace(
        page,
        nodes=nodes,
        edges=tuple(edge for edge in page.edges if _reached(edge, depth_of) in here),
        next=Position(depth=nodes[-1].depth, node=nodes[-1].id),
    )


def matches_within(page: Matches, offset: int, most: int) -> Matches:
    """Return as many of the page's first rows as have ``most`` bytes together.

    Raise `AnswerTooLargeError` when the first row alone has more.
    """
    sizes = [sum(_value_size(value) for value in row) for row in page.rows]
    kept = _fitting(sizes, most)
    if kept == len(page.rows):
        return page
    if kept == 0:
        raise AnswerTooLargeError(sizes[0], most, "one row is too much; return single properties, not whole nodes")
    return replace(page, rows=page.rows[:kept], next=offset + kept)


def require_subgraph_within(answer: Subgraph, most: int) -> Subgraph:
    """Return the answer; raise `AnswerTooLargeError` when it has more than ``most`` bytes: its edges need its nodes."""
    size = sum(map(_node_size, answer.nodes)) + sum(map(_edge_size, answer.edges))
    if size > most:
        raise AnswerTooLargeError(size, most, "lower depth, max_nodes or max_edges, or narrow it by types and kinds")
    return answer


def subgraph_within(answer: Subgraph, most: int) -> Subgraph:
    """Return as many of the answer's first nodes, and then of the edges between them, as have ``most`` bytes together.

    Raise `AnswerTooLargeError` when the first node alone has more.
    """
    node_sizes = [_node_size(node) for node in answer.nodes]
    nodes = answer.nodes[: _fitting(node_sizes, most)]
    if answer.nodes and not nodes:
        raise AnswerTooLargeError(node_sizes[0], most, "one node is too much; give it a larger budget")
    here = {node.id for node in nodes}
    between = [edge for edge in answer.edges if edge.key.source in here and edge.key.target in here]
    edges = between[: _fitting(map(_edge_size, between), most - sum(node_sizes[: len(nodes)]))]
    return replace(
        answer,
        nodes=nodes,
        edges=tuple(edges),
        more_nodes=answer.more_nodes or len(nodes) < len(answer.nodes),
        more_edges=answer.more_edges or len(edges) < len(between),
    )


def require_related_within(answer: Related, most: int) -> Related:
    """Return the answer; raise `AnswerTooLargeError` when it has more than ``most`` bytes."""
    size = sum(map(_node_size, answer.nodes))
    if size > most:
        raise AnswerTooLargeError(size, most, "lower limit")
    return answer


def _fitting(sizes: Iterable[int], most: int) -> int:
    return sum(1 for total in itertools.accumulate(sizes) if total <= most)


def _reached(edge: Edge, depth_of: dict[NodeId, int]) -> NodeId:
    """Return the end by which an edge leads to a node of the page: the one that is farther from the origin."""
    return max(edge.key.source, edge.key.target, key=lambda node: depth_of.get(node, -1))


def _node_size(node: NeighborFound | RelatedNode) -> int:
    return len(node.id) + len(node.properties.encode())


def _edge_size(edge: Edge) -> int:
    return sum(map(len, edge.key)) + len(edge.properties.encode())


def _value_size(value: Value) -> int:
    match value:
        case Node():
            return len(value.id) + len(value.properties.encode())
        case Edge():
            return _edge_size(value)
        case str():
            return len(value.encode())
        case dict() | list():
            return len(json.dumps(value))
        case _:
            return 8
