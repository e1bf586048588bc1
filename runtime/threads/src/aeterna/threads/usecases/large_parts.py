"""Puts the object store in front of conversations and tasks, so that neither side of it sees the other's form."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from aeterna.threads.domain.conversation import MovedPart, canonical, part_json, part_of
from aeterna.threads.domain.task import Write
from aeterna.threads.errors import MessageTooLargeError, ObjectsUnavailableError, StoreDefectError, ThreadsError
from aeterna.threads.usecases.passing import PassingTaskLog, PassingThreadStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.service.caller import TenantId
    from aeterna.service.json_value import JsonValue
    from aeterna.threads.domain.conversation import (
        Append,
        Message,
        MessageDraft,
        MessagePage,
        Receipt,
        ThreadId,
    )
    from aeterna.threads.domain.task import AgentId, RowPage, StoredRow, TaskView, Written
    from aeterna.threads.ports import TaskLog, ThreadStore, Told, ToldOfAppend
    from aeterna.threads.usecases.large_values import LargeValues


class LargePartsThreadStore(PassingThreadStore):
    """A `ThreadStore` whose messages may hold large parts; reading raises `PartLostError` for one that is lost."""

    def __init__(self, store: ThreadStore, large: LargeValues) -> None:
        super().__init__(store)
        self._large = large

    async def append(
        self, tenant: TenantId, thread_id: ThreadId, draft: MessageDraft, *, by: str, expected_seq: int | None = None
    ) -> Receipt:
        """See `ThreadStore.append`; `ObjectsUnavailableError` as well."""
        kept = await self._kept(tenant, thread_id, draft)
        return await self._store.append(tenant, thread_id, kept, by=by, expected_seq=expected_seq)

    async def append_all(self, tenant: TenantId, appends: Sequence[Append], told: ToldOfAppend) -> None:
        """See `ThreadStore.append_all`; one whose large parts cannot be kept is refused alone."""
        places: list[int] = []
        kept: list[Append] = []
        for place, append in enumerate(appends):
            try:
                draft = await self._kept(tenant, append.thread_id, append.draft)
            except (MessageTooLargeError, ObjectsUnavailableError) as exc:
                told(place, exc)
            else:
                places.append(place)
                kept.append(replace(append, draft=draft))
        if kept:
            await self._store.append_all(tenant, kept, lambda place, result: told(places[place], result))

    async def messages(self, tenant: TenantId, thread_id: ThreadId, *, after_seq: int, limit: int) -> MessagePage:
        """See `ThreadStore.messages`; `PartLostError` and `ObjectsUnavailableError` as well."""
        page = await self._store.messages(tenant, thread_id, after_seq=after_seq, limit=limit)
        if not any(isinstance(part, MovedPart) for message in page.messages for part in message.parts):
            return page
        columns: list[dict[str, JsonValue]] = [
            {"parts": [part_json(part) for part in message.parts]} for message in page.messages
        ]
        columns = columns[: self._large.filling(columns)]
        await self._large.restore(tenant, thread_id, columns)
        return replace(page, messages=tuple(map(_with_parts, page.messages, columns)))

    async def _kept(self, tenant: TenantId, thread_id: ThreadId, draft: MessageDraft) -> MessageDraft:
        parts = [cast("Mapping[str, JsonValue]", part_json(part)) for part in draft.parts]
        kept = await self._large.keep_parts(tenant, thread_id, parts)
        return draft if kept is parts else replace(draft, kept_parts=canonical([dict(part) for part in kept]))


class LargePartsTaskLog(PassingTaskLog):
    """A `TaskLog` whose rows may be large; reading raises `PartLostError` for one that is lost."""

    def __init__(self, log: TaskLog, large: LargeValues) -> None:
        super().__init__(log)
        self._large = large

    async def write(
        self, tenant: TenantId, agent: AgentId, writes: Sequence[Write], told: Told | None = None
    ) -> tuple[Written | ThreadsError, ...]:
        """See `TaskLog.write`; one whose large parts cannot be kept is refused alone."""
        results: list[Written | ThreadsError] = [StoreDefectError(None)] * len(writes)
        places, kept = list[int](), list[Write]()

        def settle(place: int, result: Written | ThreadsError) -> None:
            results[place] = result
            if told is not None:
                told(place, result)

        for place, write in enumerate(writes):
            try:
                rows = await self._large.keep_rows(tenant, write.task_id, write.rows)
            except (MessageTooLargeError, ObjectsUnavailableError) as exc:
                settle(place, exc)
            else:
                places.append(place)
                kept.append(write if rows is write.rows else replace(write, rows=rows))
        if kept:
            await self._log.write(tenant, agent, kept, lambda place, result: settle(places[place], result))
        return tuple(results)

    async def task(
        self,
        tenant: TenantId,
        agent: AgentId,
        task_id: ThreadId,
        *,
        owner: str,
        history_length: int | None,
        artifacts: bool,
        upto: int | None = None,
    ) -> TaskView:
        """See `TaskLog.task`; `PartLostError` and `ObjectsUnavailableError` as well."""
        view = await self._log.task(
            tenant, agent, task_id, owner=owner, history_length=history_length, artifacts=artifacts, upto=upto
        )
        return replace(view, rows=await self._restored(tenant, task_id, view.rows))

    async def rows(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str, after: int, limit: int
    ) -> RowPage:
        """See `TaskLog.rows`; `PartLostError` and `ObjectsUnavailableError` as well."""
        page = await self._log.rows(tenant, agent, task_id, owner=owner, after=after, limit=limit)
        rows = page.rows[: self._large.filling([_columns(row) for row in page.rows])]
        return replace(page, rows=await self._restored(tenant, task_id, rows))

    async def _restored(
        self, tenant: TenantId, task_id: ThreadId, rows: tuple[StoredRow, ...]
    ) -> tuple[StoredRow, ...]:
        columns = [_columns(row) for row in rows]
        if not await self._large.restore(tenant, task_id, columns):
            return rows
        return tuple(map(_with_columns, rows, columns))


def _with_parts(message: Message, columns: Mapping[str, JsonValue]) -> Message:
    written = cast("list[Mapping[str, JsonValue]]", columns["parts"])
    return replace(message, parts=tuple(part_of(part) for part in written))


def _columns(stored: StoredRow) -> dict[str, JsonValue]:
    row = stored.row
    # Copied where they are changed: what a store handed out stays as it is.
    parts = None if row.parts is None else [dict(part) for part in row.parts]
    return {"parts": cast("JsonValue", parts), "payload": cast("JsonValue", row.payload)}


def _with_columns(stored: StoredRow, columns: Mapping[str, JsonValue]) -> StoredRow:
    parts = cast("list[Mapping[str, JsonValue]] | None", columns["parts"])
    payload = cast("Mapping[str, JsonValue] | None", columns["payload"])
    return replace(stored, row=replace(stored.row, parts=None if parts is None else tuple(parts), payload=payload))
