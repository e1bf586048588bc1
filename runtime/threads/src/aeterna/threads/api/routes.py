"""The routes of the thread store, under ``/api/v1/threads``."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from aeterna.threads.api import cursor as cursors
from aeterna.threads.api.access import (
    PathThread,
    ReaderOfAll,
    ReaderOfOne,
    TheStore,
    TheStreams,
    WriterOfAll,
    WriterOfOne,
)
from aeterna.threads.api.bodies import (
    MessageBody,
    MessageInput,
    MessagesBody,
    ReceiptBody,
    Seq,
    ThreadBody,
    ThreadInput,
    ThreadsBody,
)
from aeterna.threads.api.search_queries import ListQuery, the_listing
from aeterna.threads.domain.conversation import Position

Limit = Annotated[int, Query(ge=1, le=500)]

router = APIRouter(prefix="/api/v1/threads", tags=["threads"])


@router.post("", status_code=201, responses={200: {"model": ThreadBody, "description": "The thread was there already"}})
async def open_thread(body: ThreadInput, caller: WriterOfAll, store: TheStore, response: Response) -> ThreadBody:
    """Open a thread; opening it again with the same title and metadata returns it."""
    opened = await store.open(caller.tenant, body.draft(), by=caller.subject)
    if not opened.created:
        response.status_code = HTTPStatus.OK
    return ThreadBody.of(opened.thread)


@router.get("")
async def list_threads(
    request: Request, caller: ReaderOfAll, store: TheStore, asked: Annotated[ListQuery, Query()]
) -> ThreadsBody:
    """List the tenant's threads, newest first: all, or those that fit."""
    after = None if asked.cursor is None else cursors.decode(asked.cursor)
    if (wanted := asked.wanted()) is not None:
        found = await the_listing(request).find(caller.tenant, wanted, after=after, limit=asked.limit)
        page, end = found.threads, found.next_place
    else:
        # One more than asked for tells whether there is a next page.
        threads = await store.threads(caller.tenant, after=after, limit=asked.limit + 1)
        page = threads[: asked.limit]
        more = len(threads) > asked.limit
        end = Position(created_at=page[-1].created_at, thread_id=page[-1].thread_id) if more else None
    return ThreadsBody(
        threads=[ThreadBody.of(thread) for thread in page],
        next_cursor=None if end is None else cursors.encode(end),
    )


@router.get("/{thread_id}")
async def read_thread(thread_id: PathThread, caller: ReaderOfOne, store: TheStore) -> ThreadBody:
    """Return one thread."""
    return ThreadBody.of(await store.thread(caller.tenant, thread_id))


@router.post(
    "/{thread_id}/messages",
    status_code=201,
    responses={200: {"model": ReceiptBody, "description": "The message was in the thread already"}},
)
async def append_message(
    thread_id: PathThread, body: MessageInput, caller: WriterOfOne, store: TheStore, response: Response
) -> ReceiptBody:
    """Append a message exactly once; repeating it returns the same place, for as long as the thread lives."""
    receipt = await store.append(
        caller.tenant, thread_id, body.draft(), by=caller.subject, expected_seq=body.expected_seq
    )
    if not receipt.created:
        response.status_code = HTTPStatus.OK
    return ReceiptBody.of(receipt)


# What a part does not say of itself is left out.
@router.get("/{thread_id}/messages", response_model_exclude_unset=True)
async def read_messages(
    thread_id: PathThread, caller: ReaderOfOne, store: TheStore, after_seq: Seq = 0, limit: Limit = 100
) -> MessagesBody:
    """Return messages in order, from the one after ``after_seq``."""
    page = await store.messages(caller.tenant, thread_id, after_seq=after_seq, limit=limit)
    reached = page.messages[-1].seq if page.messages else after_seq
    return MessagesBody.model_construct(
        messages=[MessageBody.of(message) for message in page.messages],
        last_seq=page.last_seq,
        next_after=reached if reached < page.last_seq else None,
    )


@router.get(
    "/{thread_id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events `message`, each `id` a seq"}},
)
async def follow_messages(
    request: Request,
    thread_id: PathThread,
    caller: ReaderOfOne,
    streams: TheStreams,
    last_event_id: Annotated[Seq | None, Header()] = None,
    after_seq: Seq = 0,
) -> StreamingResponse:
    """Follow the thread as server-sent events, from the one after ``Last-Event-ID`` (else ``after_seq``)."""
    position = after_seq if last_event_id is None else last_event_id
    drain = request.app.state.drain
    events = await streams.open(caller.tenant, thread_id, after_seq=position, draining=lambda: drain.requested)
    # Proxies that buffer would hold the events back.
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)
