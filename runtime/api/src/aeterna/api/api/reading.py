"""Questions to the graph over HTTP. Each runs in a thread: the graph's reads block."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from aeterna.api.api.bodies import (
    DirectionText,
    NeighborsAnswer,
    NodeAnswer,
    PathAnswer,
    StatisticsAnswer,
)
from aeterna.api.api.requests import SEQ_HEADER, SNAPSHOT_HEADER, graph_of, may_read, moment, seen
from aeterna.graph.domain.queries import MAX_HOPS, MAX_PAGE, MOST_DEPTH, neighbors_query, node_query, path_query
from aeterna.graph.domain.questions.filters import MAX_CONDITIONS, conditions
from aeterna.graph.domain.snapshots import AsOf
from aeterna.service.caller import Caller

reading = APIRouter(prefix="/api/v1/graph", tags=["graph"])

Reader = Annotated[Caller, Depends(may_read)]
Moment = Annotated[AsOf | None, Depends(moment)]
Seen = Annotated[int, Depends(seen)]
Node = Annotated[str, Query(description="The id of a node.", examples=["svc:checkout"])]
NodeId = Annotated[str, Path(description="The id of a node.", examples=["svc:checkout"])]
Types = Annotated[list[str], Query(alias="type", description="Walk edges of these types only; may repeat.")]
Kinds = Annotated[list[str], Query(alias="kind", description="Return nodes of these kinds only; may repeat.")]
Where = Annotated[
    list[str],
    Query(
        max_length=MAX_CONDITIONS,
        description="Return only nodes of which this holds: owner=payments, tier<=2, owner (it exists), !owner (it is"
        ' missing); may repeat. Types never mix: the text 3 is written "3".',
        examples=["owner=payments"],
    ),
]
Direction = Annotated[DirectionText, Query(description="Walk edges from source to target (out), back (in) or both.")]


@reading.get("/nodes/{node_id:path}", response_model=NodeAnswer)
def read_node(request: Request, caller: Reader, node_id: NodeId, as_of: Moment, at_least: Seen) -> Response:
    """Return one node."""
    found = graph_of(request, caller).node(node_query(node_id), as_of=as_of, at_least=at_least)
    return answer(NodeAnswer.of(found), found.seq)


@reading.get("/neighbors", response_model=NeighborsAnswer)
def read_neighbors(  # noqa: PLR0913 - the parameters are the route's documentation
    request: Request,
    caller: Reader,
    node: Node,
    as_of: Moment,
    at_least: Seen,
    depth: Annotated[int, Query(ge=1, le=MOST_DEPTH, description="How many steps away; 5 at most by default.")] = 1,
    direction: Direction = "out",
    types: Types = [],
    kinds: Kinds = [],
    where: Where = [],
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Nodes a page.")] = 100,
    cursor: Annotated[str | None, Query(description="The next_cursor of the page before.")] = None,
) -> Response:
    """Return the nodes around a node, and the edges that lead to them.

    All pages of one walk are answered from the snapshot of the first.
    """
    query = neighbors_query(
        node, depth=depth, direction=direction, types=types, kinds=kinds, where=conditions(where), limit=limit
    )
    page, following = graph_of(request, caller).neighbors(query, cursor=cursor, as_of=as_of, at_least=at_least)
    return answer(NeighborsAnswer.of(page, following), page.seq)


@reading.get("/paths/shortest", response_model=PathAnswer)
def read_shortest_path(  # noqa: PLR0913 - the parameters are the route's documentation
    request: Request,
    caller: Reader,
    source: Node,
    target: Node,
    as_of: Moment,
    at_least: Seen,
    max_hops: Annotated[int, Query(ge=1, le=MAX_HOPS, description="Paths longer than this are not looked for.")] = 16,
    direction: Direction = "out",
    types: Types = [],
) -> Response:
    """Return one of the shortest paths between two nodes."""
    query = path_query(source, target, max_hops=max_hops, direction=direction, types=types)
    found = graph_of(request, caller).shortest_path(query, as_of=as_of, at_least=at_least)
    return answer(PathAnswer.of(found), found.seq)


@reading.get("/statistics", response_model=StatisticsAnswer)
def read_statistics(request: Request, caller: Reader, as_of: Moment, at_least: Seen) -> Response:
    """Count what the graph holds."""
    found = graph_of(request, caller).statistics(as_of=as_of, at_least=at_least)
    return answer(StatisticsAnswer.of(found), found.seq)


class Answer(Protocol):
    """A body that says of which snapshot it is."""

    @property
    def snapshot_id(self) -> str | None:
        """The snapshot that was read."""
        ...

    def model_dump_json(self) -> str:
        """Write the body."""
        ...


def answer(body: Answer, seq: int) -> Response:
    """Write the answer here, in the thread; FastAPI would do it on the event loop, and check it a second time."""
    headers = {SEQ_HEADER: str(seq)} | ({} if body.snapshot_id is None else {SNAPSHOT_HEADER: body.snapshot_id})
    return Response(body.model_dump_json(), headers=headers, media_type="application/json")
