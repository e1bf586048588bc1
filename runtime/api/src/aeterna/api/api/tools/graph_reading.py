"""What the graph's tools do that read: the questions that REST asks too. Each runs in a thread: reads block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from fastapi.concurrency import run_in_threadpool

from aeterna.api.api.bodies import NeighborsAnswer, NodeAnswer, PathAnswer
from aeterna.api.api.condition_bodies import conditions_of
from aeterna.api.api.pattern_bodies import QueryAnswer
from aeterna.api.api.question_bodies import RelatedAnswer, SearchAnswer, SubgraphAnswer
from aeterna.api.api.requests import graph_of
from aeterna.api.api.tools.tool import answer
from aeterna.graph.domain.queries import neighbors_query, node_query, path_query
from aeterna.graph.domain.questions.relatedness import related_query
from aeterna.graph.domain.questions.searches import search_query
from aeterna.graph.errors import InvalidQueryError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import Request
    from pydantic import BaseModel

    from aeterna.api.api.tools.graph_arguments import (
        ContextArguments,
        NeighborsArguments,
        NodeArguments,
        PathArguments,
        QueryArguments,
        RelatedArguments,
        SearchArguments,
        TraverseArguments,
    )
    from aeterna.api.api.tools.tool import Content
    from aeterna.graph.usecases.graphs import Graph
    from aeterna.service.caller import Caller

    A = TypeVar("A", bound=BaseModel)


# What REST calls a parameter that has another name among a tool's arguments.
_ARGUMENTS: Final = {"kind": "kinds", "node_id": "node", "q": "query", "type": "types"}


def in_a_thread(read: Callable[[Graph, A], Content]) -> Callable[[Request, Caller, A], Awaitable[Content]]:
    """Return what asks the graph of the caller's tenant off the event loop."""

    async def run(request: Request, caller: Caller, arguments: A) -> Content:
        try:
            return await run_in_threadpool(read, graph_of(request, caller), arguments)
        except InvalidQueryError as wrong:
            raise InvalidQueryError(_ARGUMENTS.get(wrong.parameter, wrong.parameter), wrong.problem) from wrong

    return run


def node(graph: Graph, asked: NodeArguments) -> Content:
    """Return one node."""
    found = graph.node(node_query(asked.node), as_of=asked.moment, at_least=asked.at_least)
    return answer(NodeAnswer.of(found), found.seq)


def neighbors(graph: Graph, asked: NeighborsArguments) -> Content:
    """Return the nodes around a node."""
    return _walked(graph, asked)


def traverse(graph: Graph, asked: TraverseArguments) -> Content:
    """Return the nodes that a walk reaches."""
    return _walked(graph, asked, asked)


def _walked(graph: Graph, asked: NeighborsArguments, filtered: TraverseArguments | None = None) -> Content:
    query = neighbors_query(
        asked.node,
        depth=asked.depth,
        direction=asked.direction,
        types=asked.types,
        kinds=asked.kinds,
        where=[] if filtered is None else conditions_of(filtered.where, "where"),
        limit=asked.limit,
    )
    page, following = graph.neighbors(
        query, cursor=asked.cursor, as_of=asked.moment, at_least=asked.at_least, budget=asked.max_bytes
    )
    return answer(NeighborsAnswer.of(page, following), page.seq)


def path(graph: Graph, asked: PathArguments) -> Content:
    """Return one of the shortest paths."""
    query = path_query(
        asked.source, asked.target, max_hops=asked.max_hops, direction=asked.direction, types=asked.types
    )
    found = graph.shortest_path(query, as_of=asked.moment, at_least=asked.at_least)
    return answer(PathAnswer.of(found), found.seq)


def related(graph: Graph, asked: RelatedArguments) -> Content:
    """Return the nodes that are most like a node."""
    query = related_query(asked.node, types=asked.types, kinds=asked.kinds, limit=asked.limit)
    found = graph.related(query, as_of=asked.moment, at_least=asked.at_least, budget=asked.max_bytes)
    return answer(RelatedAnswer.of(found), found.seq)


def search(graph: Graph, asked: SearchArguments) -> Content:
    """Return the nodes that hold some words."""
    query = search_query(asked.query, kinds=asked.kinds, limit=asked.limit, match=asked.match)
    found = graph.search(query, as_of=asked.moment, at_least=asked.at_least)
    return answer(SearchAnswer.of(found), found.seq)


def matches(graph: Graph, asked: QueryArguments) -> Content:
    """Return what fits a pattern."""
    query = asked.query()
    found, following = graph.matches(
        query, cursor=asked.cursor, as_of=asked.moment, at_least=asked.at_least, budget=asked.max_bytes
    )
    return answer(QueryAnswer.of(query, found, following), found.seq)


def context(graph: Graph, asked: ContextArguments) -> Content:
    """Return the nodes around some nodes and every edge between them."""
    found = graph.subgraph(asked.query(), as_of=asked.moment, at_least=asked.at_least, budget=asked.max_bytes)
    return answer(SubgraphAnswer.of(found), found.seq)
