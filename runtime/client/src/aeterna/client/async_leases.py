"""Leases as asynchronous code sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client import lease_operations as operations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aeterna.client.async_runner import AsyncRunner
    from aeterna.client.lease_values import FreedLease, StuckTask


class AsyncLeases:
    """Who runs the tenant's tasks, for its operators."""

    def __init__(self, runner: AsyncRunner) -> None:
        self._runner = runner

    async def stuck(self, *, page: int | None = None) -> AsyncIterator[StuckTask]:
        """Give out the tasks that wait without a process that lives, and those tried again, the oldest first."""
        cursor: str | None = None
        while True:
            answer = await self._runner.run(operations.stuck(limit=page, cursor=cursor))
            for task in answer.tasks:
                yield task
            cursor = answer.next_cursor
            if cursor is None:
                return

    async def free(self, task_id: str) -> FreedLease:
        """Take the lease from whoever has it, so that another process begins anew; raise `TaskNotFoundError`."""
        return await self._runner.run(operations.free(task_id))
