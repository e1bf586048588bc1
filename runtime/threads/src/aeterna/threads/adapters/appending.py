"""Appends messages to plain threads, many at once and each for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.threads.adapters.log_writer import LogWriter
from aeterna.threads.domain.conversation import MessageId, Receipt, compact
from aeterna.threads.errors import (
    MessageConflictError,
    MessageTooLargeError,
    SequenceConflictError,
    StoreDefectError,
    ThreadNotFoundError,
    ThreadsError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aeterna.postgres.pool import Pool
    from aeterna.service.caller import TenantId
    from aeterna.threads.adapters.log_writer import Entry, Outcome
    from aeterna.threads.domain.conversation import Append, ThreadId
    from aeterna.threads.ports import ToldOfAppend


class Appender:
    """Appends by the one function of the database that adds rows to logs."""

    def __init__(self, pool: Pool, announce: Callable[[TenantId, ThreadId], None] | None) -> None:
        self._writer = LogWriter(pool)
        self._announce = announce

    async def append_all(self, tenant: TenantId, appends: Sequence[Append], told: ToldOfAppend) -> None:
        """See `ThreadStore.append_all`."""
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
            if isinstance(result, Receipt) and result.created and self._announce is not None:
                self._announce(tenant, append.thread_id)
            told(places[number], result)

        if entries:
            await self._writer.write(tenant, entries, settled)


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
