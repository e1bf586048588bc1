"""Memberships kept in memory, each run whole."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.domain.communities import CommunityId
    from aeterna.knowledge.domain.memberships import Run


class InMemoryMemberships:
    """A `Memberships`."""

    def __init__(self) -> None:
        self._runs: dict[TenantId, list[Run]] = defaultdict(list)
        self._turns: dict[TenantId, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def running(self, tenant: TenantId) -> AsyncGenerator[bool]:
        """See `Memberships.running`."""
        turn = self._turns[tenant]
        if turn.locked():
            yield False
            return
        async with turn:
            yield True

    async def record(self, tenant: TenantId, run: Run) -> bool:
        """See `Memberships.record`."""
        runs = self._runs[tenant]
        if runs and runs[-1].seq >= run.seq:
            return False
        runs.append(run)
        return True

    async def run(self, tenant: TenantId, *, seq: int | None = None) -> Run | None:
        """See `Memberships.run`."""
        return next((run for run in reversed(self._runs[tenant]) if seq is None or run.seq <= seq), None)

    async def communities_of(self, tenant: TenantId, node: str, *, seq: int | None = None) -> tuple[CommunityId, ...]:
        """See `Memberships.communities_of`."""
        run = await self.run(tenant, seq=seq)
        return tuple(level[node] for level in run.levels if node in level) if run else ()

    async def members_of(self, tenant: TenantId, community: CommunityId, *, seq: int | None = None) -> tuple[str, ...]:
        """See `Memberships.members_of`."""
        run = await self.run(tenant, seq=seq)
        levels = run.levels if run else ()
        return tuple(sorted({node for level in levels for node, one in level.items() if one == community}))
