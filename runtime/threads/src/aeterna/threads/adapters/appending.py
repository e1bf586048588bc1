"""Appends messages to plain threads, many at once and each for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg.errors import UniqueViolation
from psycopg.rows import tuple_row

from aeterna.postgres.pool import twice
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.log_writer import LogWriter
from aeterna.threads.domain.conversation import MessageId, Receipt, compact
from aeterna.threads.errors import (
    MessageConflictError,
    MessageTooLargeError,
    SequenceConflictError,
    StoreBusyError,
    StoreDefectError,
    ThreadNotFoundError,
    ThreadsError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from aeterna.postgres.pool import Pool
    from aeterna.service.caller import TenantId
    from aeterna.threads.adapters.log_writer import Entry, Outcome
    from aeterna.threads.domain.conversation import Append, ThreadId
    from aeterna.threads.ports import ToldOfAppend

_APPEND: Final = b"SELECT reached, written_at FROM threads.append_message(%s, %s, %s, %s, %s, %s, %s, %b, %s)"


class Appender:
    """Appends by the functions of the database that add rows to logs: a message alone takes the short way."""

    def __init__(self, pool: Pool, announce: Callable[[TenantId, ThreadId], None] | None) -> None:
        self._pool = pool
        self._writer = LogWriter(pool)
        self._announce = announce

    async def append_all(self, tenant: TenantId, appends: Sequence[Append], told: ToldOfAppend) -> None:
        """See `ThreadStore.append_all`."""
        alone = len(appends) == 1
        if alone and (result := await self._append_alone(tenant, appends[0])) is not None:
            self._tell(tenant, 0, appends[0], result, told)
            return
        places = list[int]()
        entries: list[Entry] = []
        for place, append in enumerate(appends):
            try:
                entries.append(_entry(append))
                places.append(place)
            except MessageTooLargeError as exc:
                told(place, exc)

        def settled(number: int, outcome: Outcome | ThreadsError) -> None:
            append = appends[places[number]]
            result = outcome if isinstance(outcome, ThreadsError) else _result(append, outcome)
            self._tell(tenant, places[number], append, result, told)

        if entries:
            # What the short way did not write, was most often written before.
            await self._writer.write(tenant, entries, settled, look=alone)

    def _tell(
        self, tenant: TenantId, place: int, append: Append, result: Receipt | ThreadsError, told: ToldOfAppend
    ) -> None:
        if isinstance(result, Receipt) and result.created and self._announce is not None:
            self._announce(tenant, append.thread_id)
        told(place, result)

    async def _append_alone(self, tenant: TenantId, append: Append) -> Receipt | ThreadsError | None:
        """Append in the short way; return nothing where that did not write and cannot say why."""
        draft = append.draft
        try:
            parts, metadata, digest = draft.written()
        except MessageTooLargeError as exc:
            return exc
        of_thread = (tenant, append.thread_id, append.expected_seq)
        message = (draft.message_id, draft.role.value, parts, metadata, digest, append.by)

        async def attempt() -> tuple[int | None, datetime] | None:
            async with self._pool.connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
                try:
                    await cursor.execute(_APPEND, of_thread + message)
                except UniqueViolation:
                    return None
                return await cursor.fetchone()

        try:
            written = await twice(self._pool, DATABASE, attempt)
        except (StoreBusyError, StoreDefectError) as exc:
            return exc
        if written is None or written[0] is None:
            return None
        return Receipt(seq=written[0], message_id=draft.message_id, created_at=written[1], created=True)


def _entry(append: Append) -> Entry:
    draft = append.draft
    parts, metadata, digest = draft.written()
    message_id = compact(draft.message_id)
    expected = "" if append.expected_seq is None else f'"expected_version":{append.expected_seq},'
    # Put together from what is JSON already: a message is turned into text once, for its digest and for its row.
    return (
        f'"thread_id":{compact(append.thread_id)},{expected}"messages":[{message_id}],"row_count":1,'
        f'"size":{len(parts) + len(metadata)},"rows":[{{"kind":"message","said":true,"message_id":{message_id},'
        f'"role":"{draft.role.value}","author":{compact(append.by)},"digest":"{digest.hex()}",'
        f'"parts":{parts},"metadata":{metadata}}}]'
    )


def _result(append: Append, outcome: Outcome) -> Receipt | ThreadsError:
    match outcome.kind:
        case "written" | "repeated":
            return Receipt(
                seq=outcome.reached,
                message_id=append.draft.message_id,
                created_at=outcome.written_at,
                created=outcome.kind == "written",
            )
        case "not_found":
            return ThreadNotFoundError(append.thread_id)
        case "version_conflict":
            return SequenceConflictError(append.expected_seq or 0, outcome.reached)
        case "message_conflict":
            return MessageConflictError(MessageId(outcome.stands or ""), outcome.reached)
        case _:
            return StoreDefectError(None)
