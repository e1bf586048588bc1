"""Writes to the graphs that this process has open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future

    from aeterna.graph.domain.changes import Session
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.snapshots import Receipt
    from aeterna.graph.usecases.graphs import Graphs


class OpenGraphWriter:
    """A `GraphWriter` of graphs that are open in this process."""

    def __init__(self, graphs: Graphs) -> None:
        self._graphs = graphs

    async def commit(self, tenant: TenantId, session: Session) -> Receipt:
        """See `GraphWriter.commit`."""

        def queued() -> Future[Receipt]:
            # In a thread: to open a tenant's graph is to read its tables.
            return self._graphs.of(tenant).submit(session)

        return await asyncio.wrap_future(await asyncio.to_thread(queued))
