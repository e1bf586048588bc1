"""Moves large parts of messages into the object store before they are written, and back when they are read.

What is moved leaves the digest and the size of its content in its place. The ledger knows of an object before it
exists, and the row that names it is written last: a process killed in between leaves an object that cleanup finds.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

from aeterna.service.json_value import JsonValue
from aeterna.threads.domain.conversation import compact, filling
from aeterna.threads.domain.removal import ObjectKey
from aeterna.threads.errors import MessageTooLargeError, PartLostError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.conversation import ThreadId
    from aeterna.threads.domain.task import Row
    from aeterna.threads.ports import ObjectLedger, ObjectStore

MAX_LARGE_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""The largest message where there is an object store: a reader and a writer each hold it in memory whole."""
PART: Final = "object"
"""The member of a part that names an object in the place of ``text``, ``data`` or ``raw``."""
PAYLOAD: Final = "$object"
"""The only member of a payload that is an object."""
_AT_ONCE: Final = 8
_VALUES: Final = ("text", "data", "raw")


@dataclass(frozen=True, slots=True, kw_only=True)
class Large:
    """An object to be written: where, and what."""

    key: ObjectKey
    content: bytes


class LargeValues:
    """Moves values above a threshold; without a store it moves none, and can bring none back."""

    def __init__(self, objects: ObjectStore | None, ledger: ObjectLedger, *, threshold: int) -> None:
        self._objects = objects
        self._ledger = ledger
        self._threshold = threshold

    async def keep_parts(
        self, tenant: TenantId, thread_id: ThreadId, parts: Sequence[Mapping[str, JsonValue]]
    ) -> Sequence[Mapping[str, JsonValue]]:
        """Return the parts as they are to be stored, the same object where nothing is large; what they name is durable.

        Raises `MessageTooLargeError` and `ObjectsUnavailableError`.
        """
        large = list[Large]()
        kept = [self._part(part, tenant, thread_id, large) for part in parts]
        await self._write(tenant, large)
        return kept if large else parts

    async def keep_rows(self, tenant: TenantId, thread_id: ThreadId, rows: tuple[Row, ...]) -> tuple[Row, ...]:
        """Return the rows as they are to be stored, with the digest of what was said; raise `MessageTooLargeError`."""
        if self._objects is None:
            return rows
        large = list[Large]()
        kept = tuple([self._row(row, tenant, thread_id, large) for row in rows])
        await self._write(tenant, large)
        return kept

    async def restore(self, tenant: TenantId, thread_id: ThreadId, rows: Sequence[dict[str, JsonValue]]) -> bool:
        """Put back into rows (of columns ``parts`` and ``payload``) what was moved out of them; False if nothing was.

        Raises `PartLostError`, which names the object, and `ObjectsUnavailableError`.
        """
        moved = [place for row in rows for place in _places(row)]
        if not moved:
            return False
        gate = asyncio.Semaphore(_AT_ONCE)

        async def bring(place: _Moved) -> None:
            async with gate:
                place.put_back(await self._read(place.key(tenant, thread_id)))

        # Not a group of tasks: the first error is raised as it is.
        await asyncio.gather(*(bring(place) for place in moved))
        return True

    def filling(self, rows: Sequence[dict[str, JsonValue]]) -> int:
        """Return how many of the rows a page takes by what would be put back into them."""
        return filling(sum(place.size for place in _places(row)) for row in rows)

    async def _write(self, tenant: TenantId, large: Sequence[Large]) -> None:
        if not large or self._objects is None:
            return
        # Only what is large is counted: the rest is bound by the store's own limit.
        if (size := sum(len(each.content) for each in large)) > MAX_LARGE_MESSAGE_BYTES:
            raise MessageTooLargeError(size, MAX_LARGE_MESSAGE_BYTES)
        await self._ledger.note(tenant, [each.key for each in large])
        for each in large:
            await self._objects.put(each.key, each.content)

    async def _read(self, key: ObjectKey) -> bytes:
        content = None if self._objects is None else await self._objects.get(key)
        if content is None:
            raise PartLostError(key.thread_id, key.sha256, damaged=False)
        if hashlib.sha256(content).hexdigest() != key.sha256:
            raise PartLostError(key.thread_id, key.sha256, damaged=True)
        return content

    def _row(self, row: Row, tenant: TenantId, thread_id: ThreadId, large: list[Large]) -> Row:
        parts, payload = row.parts, row.payload
        if parts is not None:
            parts = tuple([self._part(part, tenant, thread_id, large) for part in parts])
        if payload is not None:
            content = compact(dict(payload)).encode()
            # One that looks like ours is moved whatever its size: nobody can name an object that is not theirs.
            if len(content) > self._threshold or PAYLOAD in payload:
                payload = {PAYLOAD: _moved(content, tenant, thread_id, large)}
        # Not by what is to be written: of the same content twice in a write, one object is.
        if payload is row.payload and all(PART not in part for part in parts or ()):
            return row
        return replace(row, parts=parts, payload=payload, said_digest=row.digest() if row.parts is not None else None)

    def _part(
        self, part: Mapping[str, JsonValue], tenant: TenantId, thread_id: ThreadId, large: list[Large]
    ) -> dict[str, JsonValue]:
        kept = dict(part)
        if self._objects is None:
            return kept
        for name in _VALUES:
            if name in kept:
                value = kept[name]
                content = (value if isinstance(value, str) and name != "data" else compact(value)).encode()
                if len(content) > self._threshold:
                    del kept[name]
                    kept[PART] = _moved(content, tenant, thread_id, large)
        return kept


@dataclass(frozen=True, slots=True)
class _Moved:
    """A place in a row from which something was moved."""

    holder: dict[str, JsonValue]
    member: str
    named: Mapping[str, JsonValue]
    is_text: bool

    @property
    def size(self) -> int:
        size = self.named["size"]
        return size if isinstance(size, int) else 0

    def key(self, tenant: TenantId, thread_id: ThreadId) -> ObjectKey:
        return ObjectKey(tenant=tenant, thread_id=thread_id, sha256=str(self.named["sha256"]), size=self.size)

    def put_back(self, content: bytes) -> None:
        self.holder.pop(PART, None)
        self.holder[self.member] = content.decode() if self.is_text else json.loads(content)


def _moved(content: bytes, tenant: TenantId, thread_id: ThreadId, large: list[Large]) -> dict[str, JsonValue]:
    digest = hashlib.sha256(content).hexdigest()
    key = ObjectKey(tenant=tenant, thread_id=thread_id, sha256=digest, size=len(content))
    if all(each.key != key for each in large):
        large.append(Large(key=key, content=content))
    return {"sha256": digest, "size": len(content)}


def _places(row: dict[str, JsonValue]) -> list[_Moved]:
    return [*_parts_moved(row.get("parts")), *_payload_moved(row)]


def _parts_moved(parts: JsonValue) -> list[_Moved]:
    return [
        _Moved(part, str(part["kind"]), cast("Mapping[str, JsonValue]", part[PART]), part["kind"] != "data")
        for part in (parts if isinstance(parts, list) else [])
        if isinstance(part, dict) and PART in part
    ]


def _payload_moved(row: dict[str, JsonValue]) -> list[_Moved]:
    payload = row.get("payload")
    if not isinstance(payload, Mapping) or PAYLOAD not in payload:
        return []
    return [_Moved(row, "payload", cast("Mapping[str, JsonValue]", payload[PAYLOAD]), is_text=False)]
