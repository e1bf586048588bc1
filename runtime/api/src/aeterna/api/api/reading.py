"""Questions to the graph over HTTP. Each runs in a thread: the graph's reads block."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from aeterna.api.api.bodies import (
    DirectionText,
    NeighborsAnswer,
    NodeAnswer,
    PathAnswer,
    SnapshotsAnswer,
    StatisticsAnswer,
)
from aeterna.api.api.requests import SNAPSHOT_HEADER, graph_of, may_read, moment, seen
from aeterna.graph.domain.queries import MAX_DEPTH, MAX_HOPS, MAX_PAGE, neighbors_query, node_query, path_query
from aeterna.graph.domain.snapshots import AsOf
from aeterna.service.caller import Caller

reading = APIRouter(prefix="/api/v1/graph", tags=["graph"])

Reader = Annotated[Caller, Depends(may_read)]
Moment = Annotated[AsOf | None, Depends(moment)]
Seen = Annotated[int, Depends(seen)]
Node = Annotated[str, Query(description="The id of a node.")]
Types = Annotated[list[str], Query(alias="type", description="Walk edges of these types only; may repeat.")]
Kinds = Annotated[list[str], Query(alias="kind", description="Return nodes of these kinds only; may repeat.")]
Direction = Annotated[DirectionText, Query(description="Walk edges from source to target (out), back (in) or both.")]


@reading.get("/nodes/{node_id:path}", response_model=NodeAnswer)
def read_node(request: Request, caller: Reader, node_id: str, as_of: Moment, at_least: Seen) -> Response:
    """Return one node."""
    return _answer(NodeAnswer.of(graph_of(request, caller).node(node_query(node_id), as_of=as_of, at_least=at_least)))


@reading.get("/neighbors", response_model=NeighborsAnswer)
def read_neighbors(  # noqa: PLR0913 - the parameters are the route's documentation
    request: Request,
    caller: Reader,
    node: Node,
    as_of: Moment,
    at_least: Seen,
    depth: Annotated[int, Query(ge=1, le=MAX_DEPTH, description="How many steps away.")] = 1,
    direction: Direction = "out",
    types: Types = [],  # noqa: B006 - FastAPI copies defaults
    kinds: Kinds = [],  # noqa: B006 - FastAPI copies defaults
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Nodes a page.")] = 100,
    cursor: Annotated[str | None, Query(description="The next_cursor of the page before.")] = None,
) -> Response:
    """Return the nodes around a node, and the edges that lead to them.

    All pages of one walk are answered from the snapshot of the first.
    """
    query = neighbors_query(node, depth=depth, direction=direction, types=types, kinds=kinds, limit=limit)
    page, following = graph_of(request, caller).neighbors(query, cursor=cursor, as_of=as_of, at_least=at_least)
    return _answer(NeighborsAnswer.of(page, following))


@reading.get("/paths/shortest", response_model=PathAnswer)
def read_shortest_path(
    request: Request,
    caller: Reader,
    source: Node,
    target: Node,
    as_of: Moment,
    at_least: Seen,
    max_hops: Annotated[int, Query(ge=1, le=MAX_HOPS, description="Paths longer than this are not looked for.")] = 16,
    direction: Direction = "out",
) -> Response:
    """Return one of the shortest paths between two nodes."""
    query = path_query(source, target, max_hops=max_hops, direction=direction)
    return _answer(PathAnswer.of(graph_of(request, caller).shortest_path(query, as_of=as_of, at_least=at_least)))


@reading.get("/snapshots", response_model=SnapshotsAnswer)
def read_snapshots(
    request: Request,
    caller: Reader,
    at_least: Seen,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many.")] = 100,
) -> Response:
    """Return the newest snapshots, newest first."""
    return _answer(SnapshotsAnswer.of(graph_of(request, caller).snapshots(limit, at_least=at_least)))


@reading.get("/statistics", response_model=StatisticsAnswer)
def read_statistics(request: Request, caller: Reader, as_of: Moment, at_least: Seen) -> Response:
    """Count what the graph holds."""
    return _answer(StatisticsAnswer.of(graph_of(request, caller).statistics(as_of=as_of, at_least=at_least)))


def _answer(body: NodeAnswer | NeighborsAnswer | PathAnswer | SnapshotsAnswer | StatisticsAnswer) -> Response:
    """Write the answer here, in the thread; FastAPI would do it on the event loop, and check it a second time."""
    headers = {} if body.snapshot_id is None else {SNAPSHOT_HEADER: body.snapshot_id}
    return Response(body.model_dump_json(), headers=headers, media_type="application/json")
