"""A graph's history over HTTP: snapshots, tags, differences, restores, and the changes as they come."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from aeterna.api.api.history_bodies import (
    DiffAnswer,
    RestoreAnswer,
    RestoreRequest,
    SnapshotsAnswer,
    TagBody,
    TagRequest,
    TagsAnswer,
)
from aeterna.api.api.requests import SEQ_HEADER, SNAPSHOT_HEADER, graph_of, may_manage, may_read, moment_of, seen
from aeterna.graph.domain.diffs import MAX_DIFF_PAGE, diff_query
from aeterna.graph.domain.identifiers import TAG
from aeterna.graph.domain.tags import tag_name
from aeterna.graph.errors import InvalidSessionError
from aeterna.service.caller import Caller

if TYPE_CHECKING:
    from aeterna.api.api.feeds import Feeds

history = APIRouter(prefix="/api/v1/graph", tags=["history"])

Reader = Annotated[Caller, Depends(may_read)]
Manager = Annotated[Caller, Depends(may_manage)]
Seen = Annotated[int, Depends(seen)]
TagText = Annotated[str, Path(description="A tag.", pattern=TAG.pattern, examples=["before-the-import"])]
Limit = Annotated[int, Query(ge=1, le=MAX_DIFF_PAGE, description="How many a page.")]
Cursor = Annotated[str | None, Query(description="The next_cursor of the page before.")]
Kinds = Annotated[list[str], Query(alias="kind", description="Only nodes of these kinds; may repeat.")]
Types = Annotated[list[str], Query(alias="type", description="Only edges of these types; may repeat.")]
Position = Annotated[int | None, Query(ge=0, lt=1 << 63, description="A seq; the newest one when it is left out.")]


@history.get("/snapshots", response_model=SnapshotsAnswer)
def read_snapshots(
    request: Request, caller: Reader, at_least: Seen, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Return the readable snapshots, newest first."""
    page, following = graph_of(request, caller).history.snapshots(limit, cursor=cursor, at_least=at_least)
    headers = {SNAPSHOT_HEADER: str(page[0].id), SEQ_HEADER: str(page[0].last_seq)} if page and not cursor else {}
    return _answer(SnapshotsAnswer.of(page, following), headers)


@history.get("/tags", response_model=TagsAnswer)
def read_tags(request: Request, caller: Reader) -> Response:
    """Return every tag, backups included, in order of their names."""
    return _answer(TagsAnswer.of(graph_of(request, caller).history.tags.all()))


@history.put(
    "/tags/{name}",
    status_code=201,
    response_model=TagBody,
    responses={200: {"model": TagBody, "description": "The tag was there already; nothing was changed."}},
)
def create_tag(
    request: Request,
    caller: Manager,
    at_least: Seen,
    name: TagText,
    wanted: Annotated[TagRequest, Body()] = TagRequest(),  # noqa: B008 - frozen
) -> Response:
    """Name a moment, so that it stays readable; a tag never moves.

    Without as_of a tag of this name is returned whatever it names, so repeating the request is harmless.
    """
    tag, created = graph_of(request, caller).history.tags.create(
        tag_name(name, "name"),
        as_of=None if wanted.as_of is None else moment_of(wanted.as_of, "as_of"),
        keep=None if wanted.keep_seconds is None else timedelta(seconds=wanted.keep_seconds),
        at_least=at_least,
    )
    return _answer(TagBody.of(tag), status=201 if created else 200)


@history.delete("/tags/{name}", status_code=204)
def delete_tag(request: Request, caller: Manager, name: TagText) -> Response:
    """Forget a tag. Its snapshot goes with the next maintenance, if nothing else keeps it."""
    graph_of(request, caller).history.tags.delete(tag_name(name, "name"))
    return Response(status_code=204)


@history.get("/diff", response_model=DiffAnswer)
def read_diff(  # noqa: PLR0913 - the parameters are the route's documentation
    request: Request,
    caller: Reader,
    at_least: Seen,
    start: Annotated[
        str,
        Query(
            alias="from",
            description="A time (RFC 3339, with offset), a tag, seq:NUMBER or a snapshot id.",
            examples=["seq:42"],
        ),
    ],
    end: Annotated[str | None, Query(alias="to", description="The same; now when it is left out.")] = None,
    kinds: Kinds = [],
    types: Types = [],
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Return what differs between two moments; either may be the older one.

    All pages compare the two moments of the first.
    """
    query = diff_query(
        moment_of(start, "from"),
        None if end is None else moment_of(end, "to"),
        kinds=kinds,
        types=types,
        limit=limit,
    )
    page, following = graph_of(request, caller).history.comparing.diff(query, cursor=cursor, at_least=at_least)
    return _answer(
        DiffAnswer.of(page, following), {SNAPSHOT_HEADER: str(page.end.id), SEQ_HEADER: str(page.end.last_seq)}
    )


@history.post(
    "/restore",
    status_code=201,
    response_model=RestoreAnswer,
    responses={
        200: {"model": RestoreAnswer, "description": "A dry run, or it had been done before: nothing was written."}
    },
)
def restore_graph(
    request: Request,
    caller: Manager,
    wanted: RestoreRequest,
    idempotency_key: Annotated[str | None, Header(description="The session id, when the body has none.")] = None,
) -> Response:
    """Bring the graph back to a moment, as a new session: what was committed since stays in the history.

    Repeating it with the same session id is safe. What was erased meanwhile does not come back.
    """
    restoring = graph_of(request, caller).history.restoring
    to = moment_of(wanted.to, "to")
    if wanted.dry_run:
        return _answer(RestoreAnswer.of(restoring.plan(to)))
    if None not in (wanted.session_id, idempotency_key) and wanted.session_id != idempotency_key:
        raise InvalidSessionError("session_id", "is not what the header Idempotency-Key says")
    done = restoring.restore(to, session_id=wanted.session_id or idempotency_key, subject=caller.subject)
    repeated = done.receipt is not None and done.receipt.repeated
    headers = (
        {}
        if done.receipt is None
        else {SNAPSHOT_HEADER: str(done.receipt.snapshot_id), SEQ_HEADER: str(done.receipt.seq)}
    )
    return _answer(RestoreAnswer.of(done), headers, status=200 if repeated else 201)


@history.get(
    "/changes",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events `changes`, each `id` a seq."}},
)
async def follow_changes(
    request: Request,
    caller: Reader,
    last_event_id: Annotated[int | None, Header(ge=0, lt=1 << 63, description="The seq to go on from.")] = None,
    after: Position = None,
) -> StreamingResponse:
    """Follow the graph session by session, as server-sent events, behind Last-Event-ID (else ``after``, else now)."""
    feeds = cast("Feeds", request.app.state.feeds)
    drain = request.app.state.drain
    events = await feeds.open(
        caller.tenant,
        (await run_in_threadpool(graph_of, request, caller)).history.following,
        after=after if last_event_id is None else last_event_id,
        draining=lambda: drain.requested,
    )
    # Proxies that buffer would hold the events back.
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


def _answer(
    body: SnapshotsAnswer | TagsAnswer | TagBody | DiffAnswer | RestoreAnswer,
    headers: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> Response:
    """Write the answer here, in the thread; FastAPI would do it on the event loop, and check it a second time."""
    return Response(body.model_dump_json(), status, headers or {}, "application/json")
