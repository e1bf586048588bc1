"""A ledger in memory: its documents, its outbox towards the graph, and its ingestions."""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aeterna.graph.domain.changes import EdgeKey
from aeterna.graph.domain.identifiers import NodeId, TenantId
from aeterna.knowledge.domain.documents import DocumentId
from aeterna.knowledge.domain.entries import Author, Changed, Kept, Record
from aeterna.knowledge.domain.ingestions import Ingestion, IngestionId, Refusal
from aeterna.knowledge.domain.publishing import Pending
from aeterna.knowledge.errors import DocumentNotFoundError, IngestionNotFoundError, IngestionTakenError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
    from datetime import datetime

    from aeterna.knowledge.domain.entries import Change
    from aeterna.knowledge.domain.ingestions import Step
    from aeterna.knowledge.domain.publishing import SliceLimits


@dataclass(slots=True)
class _Tenant:
    """``outbox`` has what each position is of; it is shown up to ``published``."""

    documents: dict[DocumentId, tuple[Record, Author]] = field(default_factory=dict[DocumentId, tuple[Record, Author]])
    outbox: list[NodeId | EdgeKey] = field(default_factory=list[NodeId | EdgeKey])
    published: int = 0
    planned: int | None = None
    seq: int = 0
    incarnation: str = field(default_factory=lambda: str(uuid.uuid4()))
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    ingestions: dict[IngestionId, Ingestion] = field(default_factory=dict[IngestionId, Ingestion])
    refusals: dict[IngestionId, dict[DocumentId, Refusal]] = field(
        default_factory=lambda: defaultdict(dict[DocumentId, Refusal])
    )


class FakeLedger:
    """A `KnowledgeLedger`, an `Outbox` and an `Ingestions`; it marks everything that a change speaks of."""

    def __init__(self) -> None:
        self._tenants: dict[TenantId, _Tenant] = defaultdict(_Tenant)

    async def digests(self, tenant: TenantId, documents: Sequence[DocumentId]) -> Mapping[DocumentId, str]:
        """See `KnowledgeLedger.digests`."""
        held = self._tenants[tenant].documents
        return {document: held[document][0].digest for document in documents if document in held}

    async def change(self, tenant: TenantId, change: Change, *, step: Step | None = None) -> Changed:
        """See `KnowledgeLedger.change`."""
        state = self._tenants[tenant]
        known = await self.digests(tenant, [record.document for record in change.put])
        put = [record for record in change.put if known.get(record.document) != record.digest]
        changed = Changed(
            stored=tuple(record.document for record in put),
            unchanged=tuple(record.document for record in change.put if record not in put),
            removed=tuple(document for document in change.removed if document in state.documents),
        )
        if step is not None:
            _advance(state, step, changed)
        touched: dict[NodeId | EdgeKey, None] = {}
        for document in changed.removed:
            touched |= _keys(state.documents.pop(document)[0])
        for record in put:
            touched |= _keys(state.documents[record.document][0]) if record.document in state.documents else {}
            touched |= _keys(record)
            state.documents[record.document] = (record, change.author)
        # Nodes first, as a database has it within each document.
        state.outbox += sorted(touched, key=lambda key: isinstance(key, tuple))
        return replace(changed, touched=len(touched))

    async def document(self, tenant: TenantId, document: DocumentId) -> Kept:
        """See `KnowledgeLedger.document`."""
        held = self._tenants[tenant].documents
        if document not in held:
            raise DocumentNotFoundError(document)
        record, author = held[document]
        return Kept(
            document=document,
            digest=record.digest,
            media_type=record.media_type,
            title=record.title,
            text=record.text,
            units=record.units,
            warnings=record.warnings,
            put_by=author.subject,
            put_at=author.at,
        )

    async def documents(
        self, tenant: TenantId, *, prefix: str = "", after: DocumentId | None = None, limit: int
    ) -> Sequence[DocumentId]:
        """See `KnowledgeLedger.documents`."""
        held = sorted(self._tenants[tenant].documents)
        return [id_ for id_ in held if id_.startswith(prefix) and id_ > (after or "")][:limit]

    @asynccontextmanager
    async def publishing(self, tenant: TenantId) -> AsyncGenerator[bool]:
        """See `Outbox.publishing`."""
        async with self._tenants[tenant].turn:
            yield True

    async def pending(self, tenant: TenantId, limits: SliceLimits) -> Pending | None:
        """See `Outbox.pending`."""
        state = self._tenants[tenant]
        if state.planned is None:
            if len(state.outbox) == state.published:
                return None
            state.planned = min(len(state.outbox), state.published + limits.changes)
        keys = dict.fromkeys(state.outbox[state.published : state.planned])
        records = [record for record, _ in state.documents.values()]
        return Pending(
            ledger=state.incarnation,
            after=state.published,
            upto=state.planned,
            nodes={
                key: [(record.document, row) for record in records for row in record.nodes if row.id == key]
                for key in keys
                if not isinstance(key, tuple)
            },
            edges={
                key: [(record.document, row) for record in records for row in record.edges if row.key == key]
                for key in keys
                if isinstance(key, tuple)
            },
        )

    async def published(self, tenant: TenantId, pending: Pending, *, seq: int) -> None:
        """See `Outbox.published`."""
        state = self._tenants[tenant]
        if (state.published, state.planned) == (pending.after, pending.upto):
            state.published, state.planned, state.seq = pending.upto, None, max(state.seq, seq)

    async def again(self, tenant: TenantId, nodes: Collection[NodeId], edges: Collection[EdgeKey]) -> None:
        """See `Outbox.again`."""
        self._tenants[tenant].outbox += [*nodes, *edges]

    async def everything_again(self, tenant: TenantId) -> int:
        """See `Outbox.everything_again`."""
        state = self._tenants[tenant]
        keys: dict[NodeId | EdgeKey, None] = {}
        for record, _ in state.documents.values():
            keys |= _keys(record)
        state.incarnation = str(uuid.uuid4())
        state.outbox += sorted(keys, key=lambda key: isinstance(key, tuple))
        return len(keys)

    async def shown_seq(self, tenant: TenantId) -> int:
        """See `Outbox.shown_seq`."""
        return self._tenants[tenant].seq

    async def begin(self, tenant: TenantId, ingestion: Ingestion) -> Ingestion:
        """See `Ingestions.begin`."""
        return self._tenants[tenant].ingestions.setdefault(ingestion.id, ingestion)

    async def ingestion(self, tenant: TenantId, ingestion: IngestionId) -> Ingestion:
        """See `Ingestions.ingestion`."""
        return _ingestion(self._tenants[tenant], ingestion)

    async def refusals(self, tenant: TenantId, ingestion: IngestionId) -> Sequence[Refusal]:
        """See `Ingestions.refusals`."""
        found = self._tenants[tenant].refusals[ingestion]
        return [found[document] for document in sorted(found)]

    async def finish(self, tenant: TenantId, ingestion: IngestionId, *, at: datetime) -> None:
        """See `Ingestions.finish`."""
        state = self._tenants[tenant]
        now = _ingestion(state, ingestion)
        state.ingestions[ingestion] = replace(now, finished_at=now.finished_at or at)


def _ingestion(state: _Tenant, id_: IngestionId) -> Ingestion:
    if id_ not in state.ingestions:
        raise IngestionNotFoundError(id_)
    return state.ingestions[id_]


def _advance(state: _Tenant, step: Step, changed: Changed) -> None:
    now = _ingestion(state, step.ingestion)
    if now.finished_at is not None or now.cursor != step.before:
        if now.finished_at is None and now.cursor == step.after and not changed.stored:
            return
        raise IngestionTakenError(step.ingestion)
    state.refusals[step.ingestion] |= {refusal.document: refusal for refusal in step.refused}
    state.ingestions[step.ingestion] = replace(
        now,
        cursor=step.after,
        stored=now.stored + len(changed.stored),
        unchanged=now.unchanged + len(changed.unchanged) + step.unchanged,
        removed=now.removed + len(changed.removed),
        refused=now.refused + len(step.refused),
    )


def _keys(record: Record) -> dict[NodeId | EdgeKey, None]:
    return dict.fromkeys([*(row.id for row in record.nodes), *(row.key for row in record.edges)])
