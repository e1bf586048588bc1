"""An agent's tasks as asynchronous code sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client import task_operations as operations
from aeterna.client.wire import utc_now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aeterna.client.async_runner import AsyncRunner
    from aeterna.client.task_values import AgentTask, CancelledTask, TaskRowPage, TaskView


class AsyncTasks:
    """The tasks of the agent whose token this is; each call names the owner, whose tasks alone it sees."""

    def __init__(self, runner: AsyncRunner) -> None:
        self._runner = runner

    async def list(
        self, owner: str, *, state: str | None = None, context_id: str | None = None, page: int | None = None
    ) -> AsyncIterator[AgentTask]:
        """Give out the owner's tasks, the one whose status changed last first."""
        cursor: str | None = None
        while True:
            answer = await self._runner.run(
                operations.tasks(owner, state=state, context_id=context_id, limit=page, cursor=cursor)
            )
            for task in answer.tasks:
                yield task
            cursor = answer.next_cursor
            if cursor is None:
                return

    async def get(self, task_id: str, owner: str, *, history_length: int | None = None) -> TaskView:
        """Return the task with its last so many messages (all of them by default) and its artifacts."""
        return await self._runner.run(operations.task(task_id, owner, history_length=history_length))

    async def rows(self, task_id: str, owner: str, *, after: int = 0, limit: int | None = None) -> TaskRowPage:
        """Return rows of the task's log, from the one after ``after``."""
        return await self._runner.run(operations.rows(task_id, owner, after=after, limit=limit))

    async def cancel(self, task_id: str, owner: str) -> CancelledTask:
        """End the task and take it from whoever runs it; raise `TaskEndedError` when it has ended already."""
        return await self._runner.run(operations.cancel(task_id, owner, utc_now()))
