"""Brings the graph to show what the ledger holds, slice by slice, each of them one session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aeterna.graph.domain.identifiers import NodeId
from aeterna.graph.errors import SessionConflictError, UnknownNodeError
from aeterna.knowledge.domain.publishing import SliceLimits, session_of_slice

if TYPE_CHECKING:
    from aeterna.graph.domain.changes import EdgeKey
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.domain.publishing import Pending
    from aeterna.knowledge.ports import GraphWriter, Outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What this call did: ``seq`` is that of the session with which the graph shows all; 0 when there is none yet.

    ``sessions`` and ``changes`` do not count what others did meanwhile. ``complete`` is False when another publisher
    was at it for longer than this one would wait.
    """

    sessions: int
    changes: int
    seq: int
    complete: bool


class Publishing:
    """Publishes a tenant's outbox; one at a time does, and it is no harm if two do."""

    def __init__(self, outbox: Outbox, graph: GraphWriter, limits: SliceLimits | None = None) -> None:
        self._outbox = outbox
        self._graph = graph
        self._limits = limits or SliceLimits()

    async def publish(self, tenant: TenantId) -> Published:
        """Return when the graph shows what the ledger held when this was called.

        A process that ends half-way leaves a slice that was begun, which the next publisher finishes. Raises what the
        graph and the ledger do.
        """
        sessions = changes = 0
        async with self._outbox.publishing(tenant) as mine:
            while mine and (pending := await self._outbox.pending(tenant, self._limits)):
                seq, count = await self._show(tenant, pending)
                await self._outbox.published(tenant, pending, seq=seq)
                sessions, changes = sessions + 1, changes + count
        seq = await self._outbox.shown_seq(tenant)
        return Published(sessions=sessions, changes=changes, seq=seq, complete=mine)

    async def _show(self, tenant: TenantId, pending: Pending) -> tuple[int, int]:
        """Commit a slice and return the seq of its session and how many changes it held."""
        try:
            return await self._commit(tenant, pending, ())
        except UnknownNodeError as missing:
            # Removed by an earlier slice or by somebody else, and said again since: shown behind this slice, the nodes
            # before their edges. What is left is committed, so that a slice always ends.
            unknown = {NodeId(node) for node in missing.nodes}
            late = pending.edges_at(unknown)
            await self._outbox.again(tenant, unknown, late)
            return await self._commit(tenant, pending, late)

    async def _commit(self, tenant: TenantId, pending: Pending, without: tuple[EdgeKey, ...]) -> tuple[int, int]:
        session = session_of_slice(pending, without=frozenset(without))
        if session is None:
            return 0, 0
        try:
            receipt = await self._graph.commit(tenant, session)
        except SessionConflictError as shown:
            # Whoever began with the slice did commit it. What has changed since stands in the outbox once more.
            return shown.seq, 0
        return receipt.seq, session.changes
