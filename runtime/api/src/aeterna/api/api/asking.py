"""Questions about more than one node's surroundings over HTTP. Each runs in a thread: the graph's reads block."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from aeterna.api.api.pattern_bodies import QueryAnswer, QueryBody
from aeterna.api.api.question_bodies import RelatedAnswer, SearchAnswer, SubgraphAnswer, SubgraphBody
from aeterna.api.api.reading import Kinds, Moment, Node, Reader, Seen, Types, answer
from aeterna.api.api.requests import graph_of
from aeterna.graph.domain.questions.relatedness import MAX_RELATED, related_query
from aeterna.graph.domain.questions.searches import MAX_HITS, MAX_TEXT_CHARS, Match, search_query

asking = APIRouter(prefix="/api/v1/graph", tags=["graph"])


@asking.post("/subgraph", response_model=SubgraphAnswer)
def read_subgraph(request: Request, caller: Reader, body: SubgraphBody, as_of: Moment, at_least: Seen) -> Response:
    """Return the nodes around some nodes, and every edge between them."""
    found = graph_of(request, caller).subgraph(body.query(), as_of=as_of, at_least=at_least)
    return answer(SubgraphAnswer.of(found), found.seq)


@asking.get("/related", response_model=RelatedAnswer)
def read_related(
    request: Request,
    caller: Reader,
    node: Node,
    as_of: Moment,
    at_least: Seen,
    types: Types = [],
    kinds: Kinds = [],
    limit: Annotated[int, Query(ge=1, le=MAX_RELATED, description="Nodes returned.")] = 20,
) -> Response:
    """Return the nodes that are most like a node by what they are joined to, and why."""
    query = related_query(node, types=types, kinds=kinds, limit=limit)
    found = graph_of(request, caller).related(query, as_of=as_of, at_least=at_least)
    return answer(RelatedAnswer.of(found), found.seq)


@asking.post("/query", response_model=QueryAnswer)
def read_matches(request: Request, caller: Reader, body: QueryBody, as_of: Moment, at_least: Seen) -> Response:
    """Return what fits a pattern of nodes and edges.

    All pages of one question are answered from the snapshot of the first.
    """
    query = body.query()
    graph = graph_of(request, caller)
    found, following = graph.matches(query, cursor=body.cursor, as_of=as_of, at_least=at_least)
    return answer(QueryAnswer.of(query, found, following), found.seq)


@asking.get("/search", response_model=SearchAnswer)
def read_search(
    request: Request,
    caller: Reader,
    q: Annotated[
        str,
        Query(
            max_length=MAX_TEXT_CHARS,
            description='Words, all of which must be found unless `match` says otherwise; "a phrase"; a beginning*.',
            examples=['checkout "order items" pay*'],
        ),
    ],
    as_of: Moment,
    at_least: Seen,
    kinds: Kinds = [],
    limit: Annotated[int, Query(ge=1, le=MAX_HITS, description="Nodes returned.")] = 20,
    match: Annotated[
        Match, Query(description="Whether all of the words must be found, or any of them will do.")
    ] = "all",
) -> Response:
    """Return the nodes that hold some words in their id or in the texts of their properties."""
    query = search_query(q, kinds=kinds, limit=limit, match=match)
    found = graph_of(request, caller).search(query, as_of=as_of, at_least=at_least)
    return answer(SearchAnswer.of(found), found.seq)
