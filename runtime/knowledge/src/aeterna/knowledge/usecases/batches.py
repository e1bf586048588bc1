"""Reads documents in batches, one ahead of what is being kept; what is the same as before is not read."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from aeterna.knowledge.domain.documents import DocumentId
from aeterna.knowledge.domain.entries import Record, record_of
from aeterna.knowledge.domain.ingestions import Refusal
from aeterna.knowledge.errors import DocumentRefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
    from concurrent.futures import Executor

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.domain.documents import Upload
    from aeterna.knowledge.domain.entries import Entry
    from aeterna.knowledge.ports import KnowledgeLedger

_AT_ONCE: Final = 10
"""Documents that are handed to another thread or process together: handing over costs as much as a short one."""


_AHEAD: Final = 2
"""Batches that are being read while another one is kept."""


class Reading(Protocol):
    """Makes an entry of a document. Both calls may be made in any thread, or in a process of their own."""

    def digest(self, upload: Upload) -> str:
        """Return what `read` would give as the entry's digest, without reading."""
        ...

    def read(self, upload: Upload) -> Entry:
        """Read the document; raise `DocumentRefusedError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """How much is put in one transaction."""

    documents: int = 100
    bytes: int = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Documents that were read. ``last`` is the last in the order in which they came; ``ids`` has all of them."""

    last: DocumentId
    ids: frozenset[DocumentId]
    records: tuple[Record, ...]
    refused: tuple[Refusal, ...]
    unchanged: tuple[DocumentId, ...]


class BatchReader:
    """Reads batches in an executor, which may be one of threads or of processes."""

    def __init__(self, ledger: KnowledgeLedger, reading: Reading, executor: Executor, limits: BatchLimits) -> None:
        self._ledger = ledger
        self._reading = reading
        self._executor = executor
        self._limits = limits

    async def batches(self, tenant: TenantId, uploads: Iterable[Upload]) -> AsyncGenerator[Batch]:
        """Give batches that were read, in order; the next ones are being read while the caller has one.

        No document may come twice: a later one is compared before an earlier one is kept.
        """
        batches = _batches(uploads, self._limits)
        turn = asyncio.Lock()

        async def read() -> Batch | None:
            async with turn:
                batch = await asyncio.to_thread(next, batches, None)
            return None if batch is None else await self._read(tenant, batch)

        ahead = deque(asyncio.create_task(read()) for _ in range(_AHEAD))
        try:
            while (batch := await ahead.popleft()) is not None:
                ahead.append(asyncio.create_task(read()))
                yield batch
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)

    async def _read(self, tenant: TenantId, batch: Sequence[Upload]) -> Batch:
        known = await self._ledger.digests(tenant, [upload.id for upload in batch])
        digests = await asyncio.to_thread(lambda: [self._reading.digest(upload) for upload in batch])
        waiting = [upload for upload, digest in zip(batch, digests, strict=True) if known.get(upload.id) != digest]
        changed = {upload.id for upload in waiting}
        loop = asyncio.get_running_loop()
        read = await asyncio.gather(
            *(
                loop.run_in_executor(self._executor, _read_all, self._reading, waiting[at : at + _AT_ONCE])
                for at in range(0, len(waiting), _AT_ONCE)
            )
        )
        outcomes = [outcome for some in read for outcome in some]
        return Batch(
            last=batch[-1].id,
            ids=frozenset(upload.id for upload in batch),
            records=tuple(outcome for outcome in outcomes if isinstance(outcome, Record)),
            refused=tuple(outcome for outcome in outcomes if isinstance(outcome, Refusal)),
            unchanged=tuple(upload.id for upload in batch if upload.id not in changed),
        )


def _read_all(reading: Reading, uploads: Sequence[Upload]) -> list[Record | Refusal]:
    """Read documents in whatever process this is; a refusal is a value, because not every error can be sent."""
    return [_read_one(reading, upload) for upload in uploads]


def _read_one(reading: Reading, upload: Upload) -> Record | Refusal:
    try:
        return record_of(reading.read(upload))
    except DocumentRefusedError as refusal:
        return Refusal(document=upload.id, reason=refusal.reason)


def _batches(uploads: Iterable[Upload], limits: BatchLimits) -> Iterator[list[Upload]]:
    batch: list[Upload] = []
    size = 0
    for upload in uploads:
        if batch and (len(batch) >= limits.documents or size + len(upload.content) > limits.bytes):
            yield batch
            batch, size = [], 0
        batch.append(upload)
        size += len(upload.content)
    if batch:
        yield batch
