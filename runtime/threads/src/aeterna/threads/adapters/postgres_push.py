"""Keeps in PostgreSQL who is told of a task, and gives out what could not be told; as the tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.threads.adapters.database import queries
from aeterna.threads.adapters.transaction import Statement, Transactions
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.push import ConfigId, DeadLetter, LetterId, PushConfig, Reason
from aeterna.threads.errors import DeadLetterNotFoundError, QuotaExceededError, TaskNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aeterna.postgres.pool import Pool, Row
    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.push import LetterChoice, PushDraft
    from aeterna.threads.domain.task import AgentId

_FILES: Final = ("session.sql", "push.sql")


class PostgresPushConfigs:
    """A `PushConfigs` in PostgreSQL."""

    def __init__(self, pool: Pool, *, most: int) -> None:
        """Take connections of the service's role, and how many configurations a task may have."""
        self._transactions = Transactions(pool, queries(*_FILES))
        self._most = most

    async def put(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, draft: PushDraft, sealed: bytes | None, *, owner: str
    ) -> PushConfig:
        """See `PushConfigs.put`."""
        task = _task(tenant, agent, task_id, owner)
        locked, written = await self._transactions.run(
            tenant,
            Statement("lock_pushed_task", task),
            Statement(
                "put_config",
                {
                    **task,
                    "config_id": draft.config_id,
                    "url": draft.url.text,
                    "host": draft.url.place,
                    "scheme": draft.scheme,
                    "secrets": sealed,
                    "most": self._most,
                },
            ),
        )
        if not locked:
            raise TaskNotFoundError(task_id)
        if not written:
            raise QuotaExceededError("push configurations of a task", self._most)
        return _config(written[0])

    async def configs(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str
    ) -> tuple[PushConfig, ...]:
        """See `PushConfigs.configs`."""
        task = _task(tenant, agent, task_id, owner)
        found, rows = await self._transactions.run(
            tenant, Statement("task_of_owner", task), Statement("read_configs", task)
        )
        if not found:
            raise TaskNotFoundError(task_id)
        return tuple(_config(row) for row in rows)

    async def delete(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, config_id: ConfigId, *, owner: str
    ) -> None:
        """See `PushConfigs.delete`."""
        task = _task(tenant, agent, task_id, owner)
        await self._transactions.run(
            tenant,
            # Whoever writes to the task has it locked, and tells of its rows those who are registered then.
            Statement("lock_pushed_task", task),
            Statement("delete_config", {**task, "config_id": config_id}),
        )


class PostgresDeadLetters:
    """A `DeadLetters` in PostgreSQL."""

    def __init__(self, pool: Pool, nudge: Callable[[], None]) -> None:
        """Take connections of the service's role, and what tells the dispatcher that there is work."""
        self._transactions = Transactions(pool, queries(*_FILES))
        self._nudge = nudge

    async def letters(
        self, tenant: TenantId, choice: LetterChoice, *, before: LetterId | None, limit: int
    ) -> tuple[DeadLetter, ...]:
        """See `DeadLetters.letters`."""
        parameters = {**_choice(tenant, choice), "before": before, "limit": limit}
        (rows,) = await self._transactions.run(tenant, Statement("read_letters", parameters))
        return tuple(_letter(row) for row in rows)

    async def replay(self, tenant: TenantId, choice: LetterChoice) -> int:
        """See `DeadLetters.replay`."""
        count = await self._change("replay_letters", tenant, choice)
        self._nudge()
        return count

    async def discard(self, tenant: TenantId, choice: LetterChoice) -> int:
        """See `DeadLetters.discard`."""
        return await self._change("discard_letters", tenant, choice)

    async def _change(self, statement: str, tenant: TenantId, choice: LetterChoice) -> int:
        (rows,) = await self._transactions.run(tenant, Statement(statement, _choice(tenant, choice)))
        count: int = rows[0]["letters"]
        if choice.letter_id is not None and count == 0:
            raise DeadLetterNotFoundError(choice.letter_id)
        return count


def _task(tenant: TenantId, agent: AgentId, task_id: ThreadId, owner: str) -> Mapping[str, object]:
    return {"tenant": tenant, "agent": agent, "thread_id": task_id, "owner": owner}


def _choice(tenant: TenantId, choice: LetterChoice) -> Mapping[str, object]:
    return {
        "tenant": tenant,
        "letter_id": choice.letter_id,
        "thread_id": choice.task_id,
        "config_id": choice.config_id,
    }


def _config(row: Row) -> PushConfig:
    return PushConfig(
        config_id=ConfigId(row["config_id"]), url=row["url"], scheme=row["scheme"], created_at=row["created_at"]
    )


def _letter(row: Row) -> DeadLetter:
    return DeadLetter(
        letter_id=LetterId(row["letter_id"]),
        task_id=ThreadId(row["thread_id"]),
        config_id=ConfigId(row["config_id"]),
        url=row["url"],
        seq=row["seq"],
        reason=Reason(row["reason"]),
        error=row["error"],
        attempts=row["attempts"],
        created_at=row["created_at"],
        died_at=row["died_at"],
    )
