"""Memberships in PostgreSQL, as ranges of seq: a run writes only what is not as the run before found it."""

from __future__ import annotations

from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.elements import node_element
from aeterna.knowledge.domain.memberships import Run
from aeterna.knowledge.errors import StoreBusyError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.adapters.postgres.transactions import Statements, Transactions
    from aeterna.knowledge.domain.communities import CommunityId

_NEWEST: Final = 2**63 - 1


class PostgresMemberships:
    """A `Memberships` in PostgreSQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    @asynccontextmanager
    async def running(self, tenant: TenantId) -> AsyncGenerator[bool]:
        """See `Memberships.running`."""
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._transactions.holding(tenant, "lock_run", "unlock_run"))
            except StoreBusyError:
                yield False
                return
            yield True

    async def record(self, tenant: TenantId, run: Run) -> bool:
        """See `Memberships.record`."""

        async def work(statements: Statements) -> bool:
            await statements.rows("lock_runs")
            if any(seq >= run.seq for seq, *_ in await statements.rows("run_before", seq=_NEWEST)):
                return False
            await statements.do("write_run", seq=run.seq, at=run.at, levels=len(run.levels), drift=run.drift)
            for level, communities in enumerate(run.levels):
                found = {
                    "elements": [node_element(node) for node in communities],
                    "communities": list(communities.values()),
                }
                await statements.do("end_memberships", seq=run.seq, level=level, **found)
                await statements.do("begin_memberships", seq=run.seq, level=level, nodes=list(communities), **found)
            await statements.do("end_levels", seq=run.seq, levels=len(run.levels))
            return True

        return await self._transactions.run(tenant, work)

    async def run(self, tenant: TenantId, *, seq: int | None = None) -> Run | None:
        """See `Memberships.run`."""
        asked = _NEWEST if seq is None else seq

        async def work(statements: Statements) -> Run | None:
            for at_seq, at, count, drift in await statements.rows("run_before", seq=asked):
                levels: dict[int, dict[str, CommunityId]] = defaultdict(dict)
                for level, node, community in await statements.rows("memberships_at", seq=at_seq):
                    levels[level][node] = community
                return Run(seq=at_seq, at=at, levels=tuple(levels[level] for level in range(count)), drift=drift)
            return None

        return await self._transactions.run(tenant, work, one_moment=True)

    async def communities_of(self, tenant: TenantId, node: str, *, seq: int | None = None) -> tuple[CommunityId, ...]:
        """See `Memberships.communities_of`."""
        asked = _NEWEST if seq is None else seq

        async def work(statements: Statements) -> tuple[CommunityId, ...]:
            rows = await statements.rows("communities_of", element=node_element(node), seq=asked)
            return tuple(community for (community,) in rows)

        return await self._transactions.run(tenant, work)

    async def members_of(self, tenant: TenantId, community: CommunityId, *, seq: int | None = None) -> tuple[str, ...]:
        """See `Memberships.members_of`."""
        asked = _NEWEST if seq is None else seq

        async def work(statements: Statements) -> tuple[str, ...]:
            return tuple(node for (node,) in await statements.rows("members_of", community=community, seq=asked))

        return await self._transactions.run(tenant, work)
