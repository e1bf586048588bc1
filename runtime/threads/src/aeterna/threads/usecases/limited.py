"""Puts a tenant's quotas in front of conversations and tasks, so that what is refused costs nothing behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.threads.domain.task import TERMINAL
from aeterna.threads.errors import QuotaExceededError, StoreDefectError, ThreadsError
from aeterna.threads.usecases.passing import PassingTaskLog, PassingThreadStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.conversation import (
        Append,
        MessageDraft,
        Opened,
        Receipt,
        ThreadDraft,
        ThreadId,
    )
    from aeterna.threads.domain.task import AgentId, Write, Written
    from aeterna.threads.ports import TaskLog, ThreadStore, Told, ToldOfAppend
    from aeterna.threads.usecases.quotas import QuotaKeeper


class LimitedThreadStore(PassingThreadStore):
    """A `ThreadStore` that raises `QuotaExceededError` to a tenant that has too much or is too fast; reads are free."""

    def __init__(self, store: ThreadStore, quotas: QuotaKeeper) -> None:
        super().__init__(store)
        self._quotas = quotas

    async def open(self, tenant: TenantId, draft: ThreadDraft, *, by: str) -> Opened:
        """See `ThreadStore.open`."""
        await self._quotas.require_writing(tenant)
        await self._quotas.require_opening(tenant, task=False)
        return await self._store.open(tenant, draft, by=by)

    async def append(
        self, tenant: TenantId, thread_id: ThreadId, draft: MessageDraft, *, by: str, expected_seq: int | None = None
    ) -> Receipt:
        """See `ThreadStore.append`."""
        await self._quotas.require_writing(tenant)
        return await self._store.append(tenant, thread_id, draft, by=by, expected_seq=expected_seq)

    async def append_all(self, tenant: TenantId, appends: Sequence[Append], told: ToldOfAppend) -> None:
        """See `ThreadStore.append_all`."""
        places: list[int] = []
        for place in range(len(appends)):
            try:
                await self._quotas.require_writing(tenant)
            except QuotaExceededError as exc:
                told(place, exc)
            else:
                places.append(place)
        if places:
            allowed = [appends[place] for place in places]
            await self._store.append_all(tenant, allowed, lambda place, result: told(places[place], result))


class LimitedTaskLog(PassingTaskLog):
    """A `TaskLog` that refuses the writes of a tenant that has too much or is too fast.

    What ends a task is never refused: it makes room, and a runner that could not write it would run for nothing.
    """

    def __init__(self, log: TaskLog, quotas: QuotaKeeper) -> None:
        super().__init__(log)
        self._quotas = quotas

    async def write(
        self, tenant: TenantId, agent: AgentId, writes: Sequence[Write], told: Told | None = None
    ) -> tuple[Written | ThreadsError, ...]:
        """See `TaskLog.write`."""
        results: list[Written | ThreadsError] = [StoreDefectError(None)] * len(writes)
        places: list[int] = []

        def settle(place: int, result: Written | ThreadsError) -> None:
            results[place] = result
            if told is not None:
                told(place, result)

        for place, write in enumerate(writes):
            try:
                await self._require(tenant, write)
            except QuotaExceededError as exc:
                settle(place, exc)
            else:
                places.append(place)
        if places:
            allowed = [writes[place] for place in places]
            await self._log.write(tenant, agent, allowed, lambda place, result: settle(places[place], result))
        return tuple(results)

    async def _require(self, tenant: TenantId, write: Write) -> None:
        if write.epoch:
            # Of a runner that has the lease (the first is 1): what it does was allowed when its task began.
            return
        if write.state in TERMINAL and write.creation is None:
            return
        await self._quotas.require_writing(tenant)
        if write.creation is not None:
            await self._quotas.require_opening(tenant, task=True)
