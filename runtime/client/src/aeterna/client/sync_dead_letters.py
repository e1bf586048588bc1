"""Notifications that were given up, as blocking code sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client import dead_letter_operations as operations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.client.dead_letter_values import DeadLetter
    from aeterna.client.sync_runner import SyncRunner


class SyncDeadLetters:
    """The tenant's dead letters, for its operators."""

    def __init__(self, runner: SyncRunner) -> None:
        self._runner = runner

    def list(
        self, *, task_id: str | None = None, config_id: str | None = None, page: int | None = None
    ) -> Iterator[DeadLetter]:
        """Give out the dead letters, newest first: all, those of a task, or those of one of its receivers."""
        cursor: str | None = None
        while True:
            answer = self._runner.run(
                operations.dead_letters(task_id=task_id, config_id=config_id, limit=page, cursor=cursor)
            )
            yield from answer.letters
            cursor = answer.next_cursor
            if cursor is None:
                return

    def get(self, letter_id: str) -> DeadLetter:
        """Read one, or raise `DeadLetterNotFoundError`."""
        return self._runner.run(operations.dead_letter(letter_id))

    def replay(self, letter_id: str) -> int:
        """Have one sent again, at its old place among those of its receiver; raise `DeadLetterNotFoundError`."""
        return self._runner.run(operations.replay(letter_id))

    def replay_all(self, *, task_id: str | None = None, config_id: str | None = None) -> int:
        """Have all, or those of a task or of one of its receivers, sent again; return how many."""
        return self._runner.run(operations.replay_all(task_id=task_id, config_id=config_id))

    def discard(self, letter_id: str) -> int:
        """Forget one for good, or raise `DeadLetterNotFoundError`."""
        return self._runner.run(operations.discard(letter_id))

    def discard_all(self, *, task_id: str | None = None, config_id: str | None = None) -> int:
        """Forget all, or those of a task or of one of its receivers, for good; return how many."""
        return self._runner.run(operations.discard_all(task_id=task_id, config_id=config_id))
