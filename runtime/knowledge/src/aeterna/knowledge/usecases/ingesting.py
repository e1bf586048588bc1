"""Puts documents into the ledger and brings the graph to show them: batch by batch, and never half a document."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from aeterna.knowledge.domain.documents import DocumentId
from aeterna.knowledge.domain.entries import Author, Change, Changed, Record
from aeterna.knowledge.domain.ingestions import Refusal, Step
from aeterna.knowledge.usecases.batches import Batch, BatchLimits, BatchReader, Reading
from aeterna.knowledge.usecases.publishing import Published

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
    from concurrent.futures import Executor
    from datetime import datetime

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.domain.documents import Upload
    from aeterna.knowledge.domain.ingestions import Ingestion, IngestionId
    from aeterna.knowledge.ports import Ingestions, KnowledgeLedger
    from aeterna.knowledge.usecases.publishing import Publishing


_PAGE: Final = 1000


class Source(Protocol):
    """Documents in the order of their ids, each once, such as a folder's."""

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
class Outcome:
    """What became of each document; ``published`` says from when on the graph shows it."""

    stored: tuple[DocumentId, ...]
    unchanged: tuple[DocumentId, ...]
    removed: tuple[DocumentId, ...]
    refused: tuple[Refusal, ...]
    published: Published


@dataclass(slots=True)
class _Sum:
    changed: list[Changed] = field(default_factory=list[Changed])
    refused: list[Refusal] = field(default_factory=list[Refusal])

    def add(self, batch: Batch) -> None:
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
        self._clock = clock
        self._limits = limits or BatchLimits()
        self._reader = BatchReader(ledger, reading, executor, self._limits)

    async def put(self, tenant: TenantId, uploads: Iterable[Upload], *, by: str) -> Outcome:
        """Put documents, of each the last one. What is refused is named and stays as it was; the others go on.

        Return when the graph shows them, unless somebody else is publishing for long. Where the graph fails, its error
        is raised when all documents are kept; the next one who publishes shows them.
        """
        done = _Sum()
        async with self._showing(tenant) as show:
            async for batch in self._reader.batches(tenant, {upload.id: upload for upload in uploads}.values()):
                done.add(batch)
                if batch.records:
                    done.changed.append(await self._ledger.change(tenant, self._change(by, batch.records)))
                    show()
        return done.outcome(await self._publishing.publish(tenant))

    async def run(self, tenant: TenantId, ingestion: IngestionId, source: Source) -> Ingestion:
        """Go on with an ingestion where it is, and return how it ended; a finished one is returned as it is.

        Where it ``mirrors`` ids, the documents that its source has no more are removed.
        Raise `IngestionNotFoundError`, and `IngestionTakenError` when another process goes on with it.
        """
        now = await self._ingestions.ingestion(tenant, ingestion)
        if now.finished_at is not None:
            return now
        cursor = now.cursor
        async with self._showing(tenant) as show:
            async for batch in self._reader.batches(tenant, source.after(cursor)):
                await self._step(tenant, now, cursor, batch)
                cursor = batch.last
                show()
            await self._step(tenant, now, cursor, None)
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

    async def _step(self, tenant: TenantId, job: Ingestion, cursor: DocumentId | None, batch: Batch | None) -> None:
        """Take a batch, and remove what its source has no more up to there; without a batch, behind the cursor."""
        last = None if batch is None else batch.last
        kept = frozenset[DocumentId]() if batch is None else batch.ids
        removed = tuple([id_ async for id_ in self._held(tenant, job, cursor, last) if id_ not in kept])
        if batch is not None:
            step = Step(
                ingestion=job.id,
                before=cursor,
                after=batch.last,
                refused=batch.refused,
                unchanged=len(batch.unchanged),
            )
            change = self._change(job.started_by, batch.records, removed)
            await self._ledger.change(tenant, change, step=step)
        elif removed:
            step = Step(ingestion=job.id, before=cursor, after=removed[-1])
            await self._ledger.change(tenant, self._change(job.started_by, (), removed), step=step)

    async def _held(
        self, tenant: TenantId, job: Ingestion, cursor: DocumentId | None, last: DocumentId | None
    ) -> AsyncGenerator[DocumentId]:
        """Give the mirrored documents that the ledger has behind the cursor, up to the last."""
        while job.mirrors is not None:
            page = await self._ledger.documents(tenant, prefix=job.mirrors, after=cursor, limit=_PAGE)
            for document in page:
                if last is not None and document > last:
                    return
                yield document
            if len(page) < _PAGE:
                return
            cursor = page[-1]

    def _change(self, by: str, put: tuple[Record, ...], removed: tuple[DocumentId, ...] = ()) -> Change:
        return Change(author=Author(subject=by, at=self._clock()), put=put, removed=removed)

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
