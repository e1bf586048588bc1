"""Leases as blocking code sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client import lease_operations as operations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.client.lease_values import FreedLease, StuckTask
    from aeterna.client.sync_runner import SyncRunner


class SyncLeases:
    """Who runs the tenant's tasks, for its operators."""

    def __init__(self, runner: SyncRunner) -> None:
        self._runner = runner

    def stuck(self, *, page: int | None = None) -> Iterator[StuckTask]:
        """Give out the tasks that wait without a process that lives, and those tried again, the oldest first."""
        cursor: str | None = None
        while True:
            answer = self._runner.run(operations.stuck(limit=page, cursor=cursor))
            yield from answer.tasks
            cursor = answer.next_cursor
            if cursor is None:
                return

    def free(self, task_id: str) -> FreedLease:
        """Take the lease from whoever has it, so that another process begins anew; raise `TaskNotFoundError`."""
        return self._runner.run(operations.free(task_id))
