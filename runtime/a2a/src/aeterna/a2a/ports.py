"""What the kit needs from the outside: the durable logs of its agent's tasks, and the leases on them.

The words are the thread store's (its guide, "The API for agents"); the tenant and the agent are those of the token that
the process brings, so they are not said here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping
    from datetime import timedelta

    from aeterna.a2a.domain.rows import (
        Lease,
        PushConfig,
        RowPage,
        Step,
        TaskPage,
        TaskQuery,
        TaskView,
        Wake,
        Write,
        Written,
    )
    from aeterna.contracts.json_value import JsonValue


class TaskLog(Protocol):
    """The durable logs. Kept by ``adapters.http``; faked in ``testing``.

    Any call may raise `StoreAwayError`; then repeating it settles whether it happened. A refusal is `StoreRefusedError`
    with the store's code, except that a lost lease is `LeaseGoneError`.
    """

    async def write(self, write: Write) -> Written:
        """Make the write, at most once however often it is repeated; concurrent ones leave in one request."""
        ...

    async def cancel(self, task_id: str, *, owner: str, status: Mapping[str, JsonValue]) -> Written:
        """Write the terminal status and take the lease from whoever has it."""
        ...

    async def task(
        self,
        task_id: str,
        *,
        owner: str,
        history_length: int | None = None,
        artifacts: bool = True,
        upto: int | None = None,
    ) -> TaskView:
        """Return the task with what was said (the last so many, or all) and its artifacts."""
        ...

    async def tasks(self, query: TaskQuery) -> TaskPage:
        """Return the owner's tasks, the one whose status changed last first."""
        ...

    async def rows(self, task_id: str, *, owner: str, after: int, limit: int = 200) -> RowPage:
        """Return the rows after a place in the log, in order."""
        ...

    def wakes(self) -> AsyncIterator[Wake]:
        """Give out a hint for each task of the agent that may have grown, and one for all after a lost connection."""
        ...


class Leases(Protocol):
    """Which of the agent's processes runs which task. Kept by ``adapters.http``; faked in ``testing``."""

    async def beat(self, runner: str, *, ttl: timedelta) -> None:
        """Say that this process lives for another ``ttl``."""
        ...

    async def leave(self, runner: str) -> None:
        """Give back everything at once."""
        ...

    async def claim(self, runner: str, *, limit: int, held: Collection[str] = ()) -> tuple[Lease, ...]:
        """Take over tasks that wait and have no living runner.

        What the store has as this runner's, waits, and is not among ``held`` is given again under the same epoch: the
        answer that gave it was lost.
        """
        ...

    async def release(self, task_id: str, *, epoch: int) -> None:
        """Give one lease back."""
        ...


class Ledger(Protocol):
    """Remembers which side effects were done. Kept by ``adapters.http``; faked in ``testing``."""

    async def begin(self, task_id: str, key: str, *, epoch: int, fingerprint: str) -> Step:
        """Note that a side effect is about to be done, unless it was finished before."""
        ...

    async def finish(self, task_id: str, key: str, *, epoch: int, result: JsonValue) -> Step:
        """Keep its result."""
        ...


class PushConfigs(Protocol):
    """Where to send news of a task. Kept by ``adapters.http``; faked in ``testing``."""

    async def put(self, task_id: str, config: PushConfig, *, owner: str) -> PushConfig:
        """Keep the configuration under its id."""
        ...

    async def all(self, task_id: str, *, owner: str) -> tuple[PushConfig, ...]:
        """Return the owner's configurations of the task."""
        ...

    async def delete(self, task_id: str, config_id: str, *, owner: str) -> None:
        """Forget one; does nothing where there is none."""
        ...
