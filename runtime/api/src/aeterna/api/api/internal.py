"""What operators and their tools ask a replica: the fingerprint of the graph that it shows."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from aeterna.api.api.requests import graph_of, may_manage, moment, seen
from aeterna.graph.domain.snapshots import AsOf
from aeterna.service.caller import Caller

internal = APIRouter(prefix="/internal/v1/graph", tags=["internal"])


class DigestAnswer(BaseModel):
    """A graph by its content; replicas that show the same graph give the same digest."""

    digest: Annotated[str, Field(description="SHA-256 in hexadecimal over the sorted graph.")]
    seq: Annotated[int, Field(description="Of the newest session in it.")]
    snapshot_id: Annotated[
        str | None, Field(description="As text: it has more digits than a number in JavaScript. Null before the first.")
    ]
    nodes: int
    edges: int


@internal.get("/digest")
def read_digest(
    request: Request,
    caller: Annotated[Caller, Depends(may_manage)],
    as_of: Annotated[AsOf | None, Depends(moment)],
    at_least: Annotated[int, Depends(seen)],
) -> DigestAnswer:
    """Return the fingerprint of the graph that this replica shows; it walks the whole graph."""
    found = graph_of(request, caller).fingerprint(as_of=as_of, at_least=at_least)
    return DigestAnswer(
        digest=found.digest,
        seq=found.seq,
        snapshot_id=None if found.snapshot_id is None else str(found.snapshot_id),
        nodes=found.nodes,
        edges=found.edges,
    )
