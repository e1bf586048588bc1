"""An agent's tasks as blocking code sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client import task_operations as operations
from aeterna.client.wire import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.client.sync_runner import SyncRunner
    from aeterna.client.task_values import AgentTask, CancelledTask, TaskRowPage, TaskView


class SyncTasks:
    """The tasks of the agent whose token this is; each call names the owner, whose tasks alone it sees."""

    def __init__(self, runner: SyncRunner) -> None:
        self._runner = runner

    def list(
        self, owner: str, *, state: str | None = None, context_id: str | None = None, page: int | None = None
    ) -> Iterator[AgentTask]:
        """Give out the owner's tasks, the one whose status changed last first."""
        cursor: str | None = None
        while True:
            answer = self._runner.run(
                operations.tasks(owner, state=state, context_id=context_id, limit=page, cursor=cursor)
            )
            yield from answer.tasks
            cursor = answer.next_cursor
            if cursor is None:
                return

    def get(self, task_id: str, owner: str, *, history_length: int | None = None) -> TaskView:
        """Return the task with its last so many messages (all of them by default) and its artifacts."""
        return self._runner.run(operations.task(task_id, owner, history_length=history_length))

    def rows(self, task_id: str, owner: str, *, after: int = 0, limit: int | None = None) -> TaskRowPage:
        """Return rows of the task's log, from the one after ``after``."""
        return self._runner.run(operations.rows(task_id, owner, after=after, limit=limit))

    def cancel(self, task_id: str, owner: str) -> CancelledTask:
        """End the task and take it from whoever runs it; raise `TaskEndedError` when it has ended already."""
        return self._runner.run(operations.cancel(task_id, owner, utc_now()))
