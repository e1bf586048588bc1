"""Lets the appends and writes of many requests share transactions; everything else goes straight to the store."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aeterna.threads.domain.conversation import Append, Receipt
from aeterna.threads.domain.task import Write, Written
from aeterna.threads.errors import ThreadsError
from aeterna.threads.usecases.gathering import Gathering
from aeterna.threads.usecases.passing import PassingTaskLog, PassingThreadStore

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.conversation import (
        MessageDraft,
        ThreadId,
    )
    from aeterna.threads.domain.task import AgentId
    from aeterna.threads.ports import TaskLog, ThreadStore, Told, ToldOfAppend


class BatchedThreadStore(PassingThreadStore):
    """A `ThreadStore` whose appends of one tenant gather while others are on their way."""

    def __init__(self, store: ThreadStore) -> None:
        super().__init__(store)
        self._appends: Gathering[TenantId, Append, Receipt] = Gathering(
            store.append_all,
            log_of=lambda append: append.thread_id,
            marks_of=lambda append: ((append.thread_id, append.draft.message_id),),
        )

    async def append(
        self, tenant: TenantId, thread_id: ThreadId, draft: MessageDraft, *, by: str, expected_seq: int | None = None
    ) -> Receipt:
        """See `ThreadStore.append`; `StoreBusyError` as well when too many appends of the tenant wait."""
        append = Append(thread_id=thread_id, draft=draft, by=by, expected_seq=expected_seq)
        return await self._appends.add(tenant, append)

    async def append_all(self, tenant: TenantId, appends: Sequence[Append], told: ToldOfAppend) -> None:
        """See `ThreadStore.append_all`."""
        await self._store.append_all(tenant, appends, told)


class BatchedTaskLog(PassingTaskLog):
    """A `TaskLog` whose writes of one agent gather while others are on their way."""

    def __init__(self, log: TaskLog) -> None:
        super().__init__(log)
        self._writes: Gathering[tuple[TenantId, AgentId], Write, Written] = Gathering(
            self._make, log_of=lambda write: write.task_id, marks_of=_messages
        )

    async def write(
        self, tenant: TenantId, agent: AgentId, writes: Sequence[Write], told: Told | None = None
    ) -> tuple[Written | ThreadsError, ...]:
        """See `TaskLog.write`; `StoreBusyError` as well for what comes when too many writes of the agent wait."""
        results = await asyncio.gather(*self._writes.add_all((tenant, agent), writes), return_exceptions=True)
        settled = list[Written | ThreadsError]()
        for place, result in enumerate(results):
            if isinstance(result, BaseException) and not isinstance(result, ThreadsError):
                raise result
            settled.append(result)
            if told is not None:
                told(place, result)
        return tuple(settled)

    async def _make(
        self,
        whose: tuple[TenantId, AgentId],
        writes: Sequence[Write],
        settle: Callable[[int, Written | ThreadsError], None],
    ) -> None:
        await self._log.write(*whose, writes, settle)


def _messages(write: Write) -> tuple[Hashable, ...]:
    return tuple((write.task_id, row.message_id) for row in write.rows if row.message_id is not None)
