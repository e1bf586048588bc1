"""Puts documents into the ledger and brings the graph to show them: batch by batch, and never half a document."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from aeterna.knowledge.domain.documents import DocumentId
from aeterna.knowledge.domain.entries import Author, Change, Changed, Record, record_of
from aeterna.knowledge.domain.ingestions import Refusal, Step
from aeterna.knowledge.errors import DocumentRefusedError
from aeterna.knowledge.usecases.publishing import Published

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Executor
    from datetime import datetime

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.domain.documents import Upload
    from aeterna.knowledge.domain.entries import Entry
    from aeterna.knowledge.domain.ingestions import Ingestion, IngestionId
    from aeterna.knowledge.ports import Ingestions, KnowledgeLedger
    from aeterna.knowledge.usecases.publishing import Publishing


_AT_ONCE: Final = 10
"""Documents that are handed to another thread or process together: handing over costs as much as a short one."""


class Reading(Protocol):
    """Makes an entry of a document. Both calls may be made in any thread, or in a process of their own."""

    def digest(self, upload: Upload) -> str:
        """Return what `read` would give as the entry's digest, without reading."""
        ...

    def read(self, upload: Upload) -> Entry:
        """Read the document; raise `DocumentRefusedError`."""
        ...


class Source(Protocol):
    """Documents in the order of their ids, such as a folder's."""

    @property
    def name(self) -> str:
        """What it is, for people."""
        ...

    def count(self) -> int | None:
        """Return how many documents there are, or None where that is not known."""
        ...

    def after(self, cursor: DocumentId | None) -> Iterator[Upload]:
        """Return the documents whose ids are greater, in the order of their ids."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """How much is put in one transaction."""

    documents: int = 100
    bytes: int = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of each document; ``published`` says from when on the graph shows it."""

    stored: tuple[DocumentId, ...]
    unchanged: tuple[DocumentId, ...]
    removed: tuple[DocumentId, ...]
    refused: tuple[Refusal, ...]
    published: Published


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Documents that were read, of which ``last`` is the last in the order in which they came."""

    last: DocumentId
    records: tuple[Record, ...]
    refused: tuple[Refusal, ...]
    unchanged: tuple[DocumentId, ...]


@dataclass(slots=True)
class _Sum:
    changed: list[Changed] = field(default_factory=list[Changed])
    refused: list[Refusal] = field(default_factory=list[Refusal])

    def add(self, batch: _Batch) -> None:
        self.refused.extend(batch.refused)
        self.changed.append(Changed(unchanged=batch.unchanged))

    def outcome(self, published: Published) -> Outcome:
        return Outcome(
            stored=tuple(document for each in self.changed for document in each.stored),
            unchanged=tuple(document for each in self.changed for document in each.unchanged),
            removed=tuple(document for each in self.changed for document in each.removed),
            refused=tuple(self.refused),
            published=published,
        )


class Ingesting:
    """Reads documents, keeps them, and publishes what they contribute. Each tenant's knowledge is its own."""

    def __init__(
        self,
        *,
        ledger: KnowledgeLedger,
        ingestions: Ingestions,
        publishing: Publishing,
        reading: Reading,
        executor: Executor,
        clock: Callable[[], datetime],
        limits: BatchLimits | None = None,
    ) -> None:
        self._ledger = ledger
        self._ingestions = ingestions
        self._publishing = publishing
        self._reading = reading
        self._executor = executor
        self._clock = clock
        self._limits = limits or BatchLimits()

    async def put(self, tenant: TenantId, uploads: Iterable[Upload], *, by: str) -> Outcome:
        """Put documents. What is refused is named in the outcome and stays as it was; the others go on.

        Return when the graph shows them, unless somebody else is publishing for long. Where the graph fails, its error
        is raised when all documents are kept; the next one who publishes shows them.
        """
        done = _Sum()
        async with self._showing(tenant) as show:
            async for batch in self._read_ahead(tenant, uploads):
                done.add(batch)
                done.changed.append(await self._ledger.change(tenant, self._change(by, batch)))
                show()
        return done.outcome(await self._publishing.publish(tenant))

    async def run(self, tenant: TenantId, ingestion: IngestionId, source: Source) -> Ingestion:
        """Go on with an ingestion where it is, and return how it ended; a finished one is returned as it is.

        Raise `IngestionNotFoundError`, and `IngestionTakenError` when another process goes on with it.
        """
        now = await self._ingestions.ingestion(tenant, ingestion)
        if now.finished_at is not None:
            return now
        cursor = now.cursor
        async with self._showing(tenant) as show:
            async for batch in self._read_ahead(tenant, source.after(cursor)):
                step = Step(
                    ingestion=ingestion,
                    before=cursor,
                    after=batch.last,
                    refused=batch.refused,
                    unchanged=len(batch.unchanged),
                )
                await self._ledger.change(tenant, self._change(now.started_by, batch), step=step)
                cursor = batch.last
                show()
        await self._publishing.publish(tenant)
        await self._ingestions.finish(tenant, ingestion, at=self._clock())
        return await self._ingestions.ingestion(tenant, ingestion)

    async def delete(self, tenant: TenantId, documents: Iterable[DocumentId], *, by: str) -> Outcome:
        """Remove documents and exactly what only they contributed; one that is not there is passed over."""
        done = _Sum()
        author = Author(subject=by, at=self._clock())
        waiting = iter(dict.fromkeys(documents))
        while batch := tuple(islice(waiting, self._limits.documents)):
            done.changed.append(await self._ledger.change(tenant, Change(author=author, removed=batch)))
        return done.outcome(await self._publishing.publish(tenant))

    def _change(self, by: str, batch: _Batch) -> Change:
        return Change(author=Author(subject=by, at=self._clock()), put=batch.records)

    @asynccontextmanager
    async def _showing(self, tenant: TenantId) -> AsyncGenerator[Callable[[], None]]:
        """Give what begins to publish beside the reading, unless it goes on already; wait for it at the end.

        What goes wrong with it is left to whoever publishes last: the documents are kept whether the graph is there or
        not.
        """
        tasks: list[asyncio.Task[Published]] = []

        def show() -> None:
            if all(task.done() and task.exception() is None for task in tasks):
                tasks[:] = [asyncio.create_task(self._publishing.publish(tenant))]

        try:
            yield show
        except BaseException:
            for task in tasks:
                task.cancel()
            raise
        finally:
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read_ahead(self, tenant: TenantId, uploads: Iterable[Upload]) -> AsyncGenerator[_Batch]:
        """Give batches that were read; the next one is being read while the caller has one."""
        batches = _batches(uploads, self._limits)

        async def read() -> _Batch | None:
            batch = await asyncio.to_thread(next, batches, None)
            return None if batch is None else await self._read(tenant, batch)

        ahead = asyncio.create_task(read())
        try:
            while (batch := await ahead) is not None:
                ahead = asyncio.create_task(read())
                yield batch
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    async def _read(self, tenant: TenantId, batch: Sequence[Upload]) -> _Batch:
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
        return _Batch(
            last=batch[-1].id,
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
    """Divide documents into batches; one that comes twice begins another batch, so that the later one wins."""
    batch: dict[DocumentId, Upload] = {}
    size = 0
    for upload in uploads:
        full = len(batch) >= limits.documents or size + len(upload.content) > limits.bytes
        if batch and (full or upload.id in batch):
            yield list(batch.values())
            batch, size = {}, 0
        batch[upload.id] = upload
        size += len(upload.content)
    if batch:
        yield list(batch.values())
