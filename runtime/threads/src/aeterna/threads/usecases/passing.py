"""What stands in front of a store hands on unchanged: each port's calls that only some of its wrappers look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.service.caller import TenantId
    from aeterna.service.json_value import JsonValue
    from aeterna.threads.domain.conversation import MessagePage, Opened, Position, Thread, ThreadDraft, ThreadId
    from aeterna.threads.domain.task import AgentId, RowPage, TaskPage, TaskQuery, TaskView, Written
    from aeterna.threads.ports import TaskLog, ThreadStore


class PassingThreadStore:
    """The calls of a `ThreadStore` but its appends, handed on to the store behind."""

    def __init__(self, store: ThreadStore) -> None:
        self._store = store

    async def open(self, tenant: TenantId, draft: ThreadDraft, *, by: str) -> Opened:
        """See `ThreadStore.open`."""
        return await self._store.open(tenant, draft, by=by)

    async def thread(self, tenant: TenantId, thread_id: ThreadId) -> Thread:
        """See `ThreadStore.thread`."""
        return await self._store.thread(tenant, thread_id)

    async def threads(self, tenant: TenantId, *, after: Position | None, limit: int) -> tuple[Thread, ...]:
        """See `ThreadStore.threads`."""
        return await self._store.threads(tenant, after=after, limit=limit)

    async def messages(self, tenant: TenantId, thread_id: ThreadId, *, after_seq: int, limit: int) -> MessagePage:
        """See `ThreadStore.messages`."""
        return await self._store.messages(tenant, thread_id, after_seq=after_seq, limit=limit)


class PassingTaskLog:
    """The calls of a `TaskLog` but its writes, handed on to the log behind."""

    def __init__(self, log: TaskLog) -> None:
        self._log = log

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
