"""Lets the appends and writes of many requests share transactions; everything else goes straight to the store."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aeterna.threads.domain.conversation import Append, Receipt
from aeterna.threads.domain.task import Write, Written
from aeterna.threads.errors import ThreadsError
from aeterna.threads.usecases.gathering import Gathering

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from aeterna.service.caller import TenantId
    from aeterna.service.json_value import JsonValue
    from aeterna.threads.domain.conversation import (
        MessageDraft,
        MessagePage,
        Opened,
        Position,
        Thread,
        ThreadDraft,
        ThreadId,
    )
    from aeterna.threads.domain.task import AgentId, RowPage, TaskPage, TaskQuery, TaskView
    from aeterna.threads.ports import TaskLog, ThreadStore, Told, ToldOfAppend


class BatchedThreadStore:
    """A `ThreadStore` whose appends of one tenant gather while others are on their way."""

    def __init__(self, store: ThreadStore) -> None:
        self._store = store
        self._appends: Gathering[TenantId, Append, Receipt] = Gathering(
            store.append_all,
            log_of=lambda append: append.thread_id,
            marks_of=lambda append: ((append.thread_id, append.draft.message_id),),
        )

    async def open(self, tenant: TenantId, draft: ThreadDraft, *, by: str) -> Opened:
        """See `ThreadStore.open`."""
        return await self._store.open(tenant, draft, by=by)

    async def thread(self, tenant: TenantId, thread_id: ThreadId) -> Thread:
        """See `ThreadStore.thread`."""
        return await self._store.thread(tenant, thread_id)

    async def threads(self, tenant: TenantId, *, after: Position | None, limit: int) -> tuple[Thread, ...]:
        """See `ThreadStore.threads`."""
        return await self._store.threads(tenant, after=after, limit=limit)

    async def append(
        self, tenant: TenantId, thread_id: ThreadId, draft: MessageDraft, *, by: str, expected_seq: int | None = None
    ) -> Receipt:
        """See `ThreadStore.append`; `StoreBusyError` as well when too many appends of the tenant wait."""
        append = Append(thread_id=thread_id, draft=draft, by=by, expected_seq=expected_seq)
        return await self._appends.add(tenant, append)

    async def append_all(self, tenant: TenantId, appends: Sequence[Append], told: ToldOfAppend) -> None:
        """See `ThreadStore.append_all`."""
        await self._store.append_all(tenant, appends, told)

    async def messages(self, tenant: TenantId, thread_id: ThreadId, *, after_seq: int, limit: int) -> MessagePage:
        """See `ThreadStore.messages`."""
        return await self._store.messages(tenant, thread_id, after_seq=after_seq, limit=limit)


class BatchedTaskLog:
    """A `TaskLog` whose writes of one agent gather while others are on their way."""

    def __init__(self, log: TaskLog) -> None:
        self._log = log
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

    async def cancel(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str, status: Mapping[str, JsonValue]
    ) -> Written:
        """See `TaskLog.cancel`."""
        return await self._log.cancel(tenant, agent, task_id, owner=owner, status=status)

    async def task(
        self,
        tenant: TenantId,
        agent: AgentId,
        task_id: ThreadId,
        *,
        owner: str,
        history_length: int | None,
        artifacts: bool,
        upto: int | None = None,
    ) -> TaskView:
        """See `TaskLog.task`."""
        return await self._log.task(
            tenant, agent, task_id, owner=owner, history_length=history_length, artifacts=artifacts, upto=upto
        )

    async def tasks(self, tenant: TenantId, agent: AgentId, query: TaskQuery) -> TaskPage:
        """See `TaskLog.tasks`."""
        return await self._log.tasks(tenant, agent, query)

    async def rows(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str, after: int, limit: int
    ) -> RowPage:
        """See `TaskLog.rows`."""
        return await self._log.rows(tenant, agent, task_id, owner=owner, after=after, limit=limit)

    async def _make(
        self,
        whose: tuple[TenantId, AgentId],
        writes: Sequence[Write],
        settle: Callable[[int, Written | ThreadsError], None],
    ) -> None:
        await self._log.write(*whose, writes, settle)


def _messages(write: Write) -> tuple[Hashable, ...]:
    return tuple((write.task_id, row.message_id) for row in write.rows if row.message_id is not None)
