"""What the graph's tools do that write: a session each, committed as REST commits them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi.concurrency import run_in_threadpool

from aeterna.api.api.bodies import EdgeBody, ReceiptBody, RemoveBody, SessionBody
from aeterna.api.api.requests import graph_of
from aeterna.api.api.tools.tool import answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Future

    from fastapi import Request

    from aeterna.api.api.tools.graph_arguments import LinkArguments, UnlinkArguments
    from aeterna.api.api.tools.tool import Content
    from aeterna.graph.domain.snapshots import Receipt
    from aeterna.service.caller import Caller


def link(new_id: Callable[[], str]) -> Callable[[Request, Caller, LinkArguments], Awaitable[Content]]:
    """Return what writes an edge and nodes, each time in a session of a new id."""

    async def run(request: Request, caller: Caller, asked: LinkArguments) -> Content:
        edge = EdgeBody(source=asked.source, type=asked.type, target=asked.target, properties=asked.properties)
        return await _committed(request, caller, SessionBody(nodes=list(asked.nodes), edges=[edge]), new_id())

    return run


def unlink(new_id: Callable[[], str]) -> Callable[[Request, Caller, UnlinkArguments], Awaitable[Content]]:
    """Return what removes an edge, each time in a session of a new id."""

    async def run(request: Request, caller: Caller, asked: UnlinkArguments) -> Content:
        return await _committed(request, caller, SessionBody(remove=RemoveBody(edges=[asked])), new_id())

    return run


async def _committed(request: Request, caller: Caller, body: SessionBody, id_: str) -> Content:
    def queued() -> Future[Receipt]:
        return graph_of(request, caller).submit(body.session(id_, caller.subject))

    receipt = await asyncio.wrap_future(await run_in_threadpool(queued))
    return answer(ReceiptBody.of(receipt), receipt.seq)
