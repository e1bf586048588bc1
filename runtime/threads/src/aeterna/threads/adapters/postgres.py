"""Keeps conversations in PostgreSQL: one transaction and one round trip for each call."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from aeterna.postgres.translation import translated
from aeterna.threads.adapters.appending import Appender
from aeterna.threads.adapters.database import DATABASE, queries
from aeterna.threads.adapters.transaction import Statement, Transactions
from aeterna.threads.domain.conversation import (
    PAGE_BYTES,
    Append,
    Message,
    MessageId,
    MessagePage,
    Opened,
    Receipt,
    Role,
    Thread,
    ThreadId,
    canonical,
    part_of,
)
from aeterna.threads.domain.lifetimes import Lifetimes
from aeterna.threads.errors import (
    PositionAheadError,
    ThreadConflictError,
    ThreadNotFoundError,
    ThreadsError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aeterna.postgres.pool import Pool, Row
    from aeterna.service.caller import TenantId
    from aeterna.service.json_value import JsonValue
    from aeterna.threads.domain.conversation import MessageDraft, Position, ThreadDraft
    from aeterna.threads.ports import ToldOfAppend

Announce: TypeAlias = "Callable[[TenantId, ThreadId], None]"


class PostgresThreadStore:
    """A `ThreadStore` in PostgreSQL 16 or later, through a pool that its maker opens and closes."""

    def __init__(self, pool: Pool, announce: Announce | None = None, *, lifetimes: Lifetimes | None = None) -> None:
        """Take what is told of each append once it is durable; without it, readers go by their heartbeats."""
        self._lifetimes = lifetimes or Lifetimes()
        self._pool = pool
        self._appender = Appender(pool, announce)
        self._transactions = Transactions(pool, queries("session.sql", "threads.sql", "messages.sql"))

    async def open(self, tenant: TenantId, draft: ThreadDraft, *, by: str) -> Opened:
        """See `ThreadStore.open`."""
        digest, ttl = draft.digest(), self._lifetimes.of_thread(draft.ttl)
        thread = {"tenant": tenant, "thread_id": draft.thread_id}
        _, created, found = await self._transactions.run(
            tenant,
            Statement("clear_expired", thread),
            Statement(
                "create_thread",
                {
                    **thread,
                    "title": draft.title,
                    "metadata": canonical(draft.metadata),
                    "digest": digest,
                    "by": by,
                    "ttl": ttl,
                },
            ),
            Statement("read_thread", thread),
        )
        # The id may be that of a task, or of a thread that has expired and must be kept; neither is there for a reader.
        if not found or found[0]["digest"] != digest:
            raise ThreadConflictError(draft.thread_id)
        return Opened(thread=_thread(found[0]), created=bool(created))

    async def thread(self, tenant: TenantId, thread_id: ThreadId) -> Thread:
        """See `ThreadStore.thread`."""
        (rows,) = await self._transactions.run(
            tenant, Statement("read_thread", {"tenant": tenant, "thread_id": thread_id})
        )
        if not rows:
            raise ThreadNotFoundError(thread_id)
        return _thread(rows[0])

    async def threads(self, tenant: TenantId, *, after: Position | None, limit: int) -> tuple[Thread, ...]:
        """See `ThreadStore.threads`."""
        parameters = {"tenant": tenant, "limit": limit}
        statement = Statement("newest_threads", parameters)
        if after is not None:
            place = {"created_at": after.created_at, "thread_id": after.thread_id}
            statement = Statement("older_threads", parameters | place)
        (rows,) = await self._transactions.run(tenant, statement)
        return tuple(_thread(row) for row in rows)

    async def append(
        self, tenant: TenantId, thread_id: ThreadId, draft: MessageDraft, *, by: str, expected_seq: int | None = None
    ) -> Receipt:
        """See `ThreadStore.append`."""
        results = list[Receipt | ThreadsError]()
        await self.append_all(
            tenant,
            [Append(thread_id=thread_id, draft=draft, by=by, expected_seq=expected_seq)],
            lambda _, result: results.append(result),
        )
        if isinstance(results[0], ThreadsError):
            raise results[0]
        return results[0]

    async def append_all(self, tenant: TenantId, appends: Sequence[Append], told: ToldOfAppend) -> None:
        """See `ThreadStore.append_all`."""
        await self._appender.append_all(tenant, appends, told)

    async def messages(self, tenant: TenantId, thread_id: ThreadId, *, after_seq: int, limit: int) -> MessagePage:
        """See `ThreadStore.messages`."""
        thread = {"tenant": tenant, "thread_id": thread_id}
        rows, last = await self._transactions.run(
            tenant,
            Statement("read_messages", {**thread, "after_seq": after_seq, "limit": limit, "page_bytes": PAGE_BYTES}),
            # Read second: the thread may have grown in between, so that last_seq is never behind the messages.
            Statement("last_seq", thread),
        )
        if not last:
            raise ThreadNotFoundError(thread_id)
        last_seq: int = last[0]["last_seq"]
        if after_seq > last_seq:
            raise PositionAheadError(after_seq, last_seq)
        return MessagePage(messages=tuple(_message(row) for row in rows), last_seq=last_seq)

    async def check(self) -> None:
        """Return when the database answers as the store needs it; raise `StoreUnavailableError` when not."""
        with translated(DATABASE.errors):
            async with self._pool.connection() as connection:
                await connection.execute(b"SELECT FROM threads.threads LIMIT 0")


def _thread(row: Row) -> Thread:
    return Thread(
        thread_id=ThreadId(row["thread_id"]),
        title=row["title"],
        metadata=row["metadata"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        last_seq=row["last_seq"],
        version=row["version"],
        expires_at=row["expires_at"],
    )


def _message(row: Row) -> Message:
    parts: list[dict[str, JsonValue]] = row["parts"]
    return Message(
        seq=row["seq"],
        message_id=MessageId(row["message_id"]),
        role=Role(row["role"]),
        parts=tuple(part_of(part) for part in parts),
        metadata=row["metadata"],
        author=row["author"],
        created_at=row["created_at"],
    )
