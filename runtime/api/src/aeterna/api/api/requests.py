"""What a request says beside its body: whose graph, as of when, and what it has seen already."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Final, cast

from fastapi import Depends, Header, Query, Request

from aeterna.graph.domain.identifiers import TAG, SnapshotId, tenant_id
from aeterna.graph.domain.snapshots import AsOf, AtSeq
from aeterna.graph.domain.tags import tag_name
from aeterna.graph.errors import InvalidQueryError
from aeterna.graph.usecases.graphs import Graph, Graphs
from aeterna.service.access import permitted
from aeterna.service.caller import Caller
from aeterna.service.decision import Resource

SNAPSHOT_HEADER: Final = "Aeterna-Snapshot"
SEQ_HEADER: Final = "Aeterna-Seq"
_SNAPSHOT: Final = re.compile(r"[0-9]{1,19}")
_SEQ: Final = re.compile(r"[0-9]{1,18}")
_SEQ_PREFIX: Final = "seq:"  # with a colon, so it is no tag
_MOMENT_CHARS: Final = len("2026-11-01T00:00:00")


def _tenants_graph(_request: Request, caller: Caller) -> Resource:
    # A tenant has one graph, so it bears the tenant's name. Nothing in a request can name another tenant.
    return Resource(type="Graph", id=caller.tenant, tenant=caller.tenant)


may_read: Callable[..., Awaitable[Caller]] = permitted("graph.read", _tenants_graph)
may_write: Callable[..., Awaitable[Caller]] = permitted("graph.write", _tenants_graph)
may_manage: Callable[..., Awaitable[Caller]] = permitted("graph.manage", _tenants_graph)
may_erase: Callable[..., Awaitable[Caller]] = permitted("graph.erase", _tenants_graph)


def graph_of(request: Request, caller: Caller) -> Graph:
    """Return the graph of the caller's tenant."""
    graphs = cast("Graphs", request.app.state.graphs)
    return graphs.of(tenant_id(caller.tenant))


def moment(
    as_of: Annotated[
        str | None,
        Query(
            description="A time (RFC 3339, with offset), a tag, seq:NUMBER or a snapshot id: the state that was then.",
            examples=["2026-11-01T00:00:00Z"],
        ),
    ] = None,
) -> AsOf | None:
    """Return the moment that the request asks about."""
    return None if as_of is None else moment_of(as_of, "as_of")


def moment_of(text: str, parameter: str) -> AsOf:
    """Read a moment; raise `InvalidQueryError` that names the parameter."""
    if _SNAPSHOT.fullmatch(text):
        return SnapshotId(int(text))
    if TAG.fullmatch(text):
        return tag_name(text, parameter)
    if (after := text.removeprefix(_SEQ_PREFIX)) != text and _SEQ.fullmatch(after):
        return AtSeq(int(after))
    # A plus sign that a client forgot to encode arrives as a space.
    written = text[:_MOMENT_CHARS] + text[_MOMENT_CHARS:].replace(" ", "+")
    try:
        time = datetime.fromisoformat(written)
    except ValueError as problem:
        raise InvalidQueryError(parameter, "must be a time (RFC 3339), a tag, seq:NUMBER or a snapshot id") from problem
    if time.tzinfo is None:
        raise InvalidQueryError(parameter, "must say its offset from UTC, for example 2026-11-01T00:00:00Z")
    return time


def seen(
    request: Request,
    caller: Annotated[Caller, Depends(may_read)],
    aeterna_seq: Annotated[
        str | None, Header(description="The Aeterna-Seq of an earlier answer: this one shall not be older.")
    ] = None,
    aeterna_snapshot: Annotated[
        str | None,
        Header(description="The snapshot of an earlier answer, for those who have no Aeterna-Seq; it may expire."),
    ] = None,
) -> int:
    """Return the seq that the answer must contain, 0 when any state will do."""
    if aeterna_seq is not None:
        if _SEQ.fullmatch(aeterna_seq) is None:
            raise InvalidQueryError(SEQ_HEADER, "must be the number that an earlier answer gave")
        return int(aeterna_seq)
    if aeterna_snapshot is None:
        return 0
    if _SNAPSHOT.fullmatch(aeterna_snapshot) is None:
        raise InvalidQueryError(SNAPSHOT_HEADER, "must be a snapshot id")
    return graph_of(request, caller).seq_of(SnapshotId(int(aeterna_snapshot)))
