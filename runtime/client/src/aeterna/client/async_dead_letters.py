"""Notifications that were given up, as asynchronous code sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client import dead_letter_operations as operations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aeterna.client.async_runner import AsyncRunner
    from aeterna.client.dead_letter_values import DeadLetter


class AsyncDeadLetters:
    """The tenant's dead letters, for its operators."""

    def __init__(self, runner: AsyncRunner) -> None:
        self._runner = runner

    async def list(
        self, *, task_id: str | None = None, config_id: str | None = None, page: int | None = None
    ) -> AsyncIterator[DeadLetter]:
        """Give out the dead letters, newest first: all, those of a task, or those of one of its receivers."""
        cursor: str | None = None
        while True:
            answer = await self._runner.run(
                operations.dead_letters(task_id=task_id, config_id=config_id, limit=page, cursor=cursor)
            )
            for letter in answer.letters:
                yield letter
            cursor = answer.next_cursor
            if cursor is None:
                return

    async def get(self, letter_id: str) -> DeadLetter:
        """Read one, or raise `DeadLetterNotFoundError`."""
        return await self._runner.run(operations.dead_letter(letter_id))

    async def replay(self, letter_id: str) -> int:
        """Have one sent again, at its old place among those of its receiver; raise `DeadLetterNotFoundError`."""
        return await self._runner.run(operations.replay(letter_id))

    async def replay_all(self, *, task_id: str | None = None, config_id: str | None = None) -> int:
        """Have all, or those of a task or of one of its receivers, sent again; return how many."""
        return await self._runner.run(operations.replay_all(task_id=task_id, config_id=config_id))

    async def discard(self, letter_id: str) -> int:
        """Forget one for good, or raise `DeadLetterNotFoundError`."""
        return await self._runner.run(operations.discard(letter_id))

    async def discard_all(self, *, task_id: str | None = None, config_id: str | None = None) -> int:
        """Forget all, or those of a task or of one of its receivers, for good; return how many."""
        return await self._runner.run(operations.discard_all(task_id=task_id, config_id=config_id))
