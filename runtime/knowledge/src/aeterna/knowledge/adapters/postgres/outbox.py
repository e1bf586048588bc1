"""The outbox in PostgreSQL: what the graph does not show yet, in slices that whoever publishes takes in order."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import chain
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from aeterna.graph.domain.changes import EdgeKey
from aeterna.knowledge.adapters.postgres.parts import Touched, pieces
from aeterna.knowledge.domain.elements import EdgeRow, NodeRow, edge_element, node_element
from aeterna.knowledge.domain.publishing import Pending
from aeterna.knowledge.errors import StoreBusyError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection, Sequence

    from aeterna.graph.domain.identifiers import NodeId, TenantId
    from aeterna.knowledge.adapters.postgres.transactions import Statements, Transactions
    from aeterna.knowledge.domain.elements import SaidOfEdge, SaidOfNode
    from aeterna.knowledge.domain.publishing import SliceLimits


class PostgresOutbox:
    """An `Outbox` in PostgreSQL.

    A publisher holds one connection while it needs another one. So at most ``publishers`` of a process do, fewer than
    the pool has connections, and those of the same tenant wait for each other without any.
    """

    def __init__(self, transactions: Transactions, *, publishers: int = 4) -> None:
        self._transactions = transactions
        self._publishers = asyncio.Semaphore(publishers)
        self._turns: WeakValueDictionary[TenantId, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def publishing(self, tenant: TenantId) -> AsyncGenerator[bool]:
        """See `Outbox.publishing`."""
        turn = self._turns.setdefault(tenant, asyncio.Lock())
        async with turn, self._publishers, AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(
                    self._transactions.holding(tenant, "lock_publisher", "unlock_publisher")
                )
            except StoreBusyError:
                yield False
                return
            yield True

    async def pending(self, tenant: TenantId, limits: SliceLimits) -> Pending | None:
        """See `Outbox.pending`."""

        async def plan(statements: Statements) -> tuple[str, int, int] | None:
            found = await statements.rows("publication")
            if not found:
                await statements.do("begin_publication")
                found = await statements.rows("publication")
            for published, planned, _, incarnation in found:
                if planned is not None:
                    return incarnation, published, planned
                ((upto,),) = await statements.rows(
                    "next_slice", after=published, changes=limits.changes, size=limits.size
                )
                if upto is not None and await statements.do("plan", after=published, upto=upto):
                    return incarnation, published, upto
            return None

        planned = await self._transactions.run(tenant, plan)
        if planned is None:
            return None
        incarnation, after, upto = planned

        async def read(statements: Statements) -> Pending:
            return await _read(statements, incarnation, after, upto)

        return await self._transactions.run(tenant, read, one_moment=True)

    async def published(self, tenant: TenantId, pending: Pending, *, seq: int) -> None:
        """See `Outbox.published`."""

        async def work(statements: Statements) -> None:
            if await statements.do("published", after=pending.after, upto=pending.upto, seq=seq):
                await statements.do("clear_outbox", upto=pending.upto)

        await self._transactions.run(tenant, work)

    async def again(self, tenant: TenantId, nodes: Collection[NodeId], edges: Collection[EdgeKey]) -> None:
        """See `Outbox.again`."""
        touched = [
            *(Touched(element=node_element(node), source=node) for node in nodes),
            *(Touched(element=edge_element(key), **key._asdict()) for key in edges),
        ]

        async def work(statements: Statements) -> None:
            ((position,),) = await statements.rows("lock_ledger")
            await append(statements, position, [touched])

        await self._transactions.run(tenant, work)

    async def everything_again(self, tenant: TenantId) -> int:
        """See `Outbox.everything_again`."""

        async def work(statements: Statements) -> int:
            count = 0
            for (position,) in await statements.rows("lock_ledger"):
                await statements.do("begin_again")
                for name in ("all_nodes", "all_edges"):
                    count += await statements.do(name, position=position + count)
                await statements.do("move_ledger", count=count)
            return count

        return await self._transactions.run(tenant, work)

    async def shown_seq(self, tenant: TenantId) -> int:
        """See `Outbox.shown_seq`."""

        async def work(statements: Statements) -> int:
            return max((seq for _, _, seq, _ in await statements.rows("publication")), default=0)

        return await self._transactions.run(tenant, work)


async def append(statements: Statements, position: int, groups: Sequence[Sequence[Touched]]) -> int:
    """Write what is touched behind a position of the ledger, which the caller has locked; return how much it is."""
    rows = list(chain.from_iterable(groups))
    if not rows:
        return 0
    ends = {id(group[-1]) for group in groups if group}
    written = 0
    for piece in pieces(rows):
        await statements.do(
            "write_outbox",
            position=position + written,
            elements=[row.element for row in piece],
            sources=[row.source for row in piece],
            types=[row.type for row in piece],
            targets=[row.target for row in piece],
            sizes=[row.size for row in piece],
            wholes=[id(row) in ends for row in piece],
        )
        written += len(piece)
    await statements.do("move_ledger", count=len(rows))
    return len(rows)


async def _read(statements: Statements, incarnation: str, after: int, upto: int) -> Pending:
    nodes: dict[bytes, tuple[NodeId, list[SaidOfNode]]] = {}
    edges: dict[bytes, tuple[EdgeKey, list[SaidOfEdge]]] = {}
    for element, source, type_, target in await statements.rows("slice", after=after, upto=upto):
        if type_ is None:
            nodes[element] = (source, [])
        else:
            edges[element] = (EdgeKey(source, type_, target), [])
    if nodes:
        for element, digest, id_, kind, properties, document in await statements.rows(
            "said_of_nodes", after=after, upto=upto
        ):
            node = NodeRow(element=element, digest=digest, id=id_, kind=kind, properties=properties)
            nodes[element][1].append((document, node))
    if edges:
        for element, digest, source, type_, target, weight, properties, document in await statements.rows(
            "said_of_edges", after=after, upto=upto
        ):
            key = EdgeKey(source, type_, target)
            edge = EdgeRow(element=element, digest=digest, key=key, weight=weight, properties=properties)
            edges[element][1].append((document, edge))
    return Pending(ledger=incarnation, after=after, upto=upto, nodes=dict(nodes.values()), edges=dict(edges.values()))
