"""The ledger in PostgreSQL: documents, what they contribute, and what follows for the graph, in one transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aeterna.knowledge.adapters.postgres.derived import UNIT_PREFIX, forget
from aeterna.knowledge.adapters.postgres.ingestions import advance
from aeterna.knowledge.adapters.postgres.outbox import append
from aeterna.knowledge.adapters.postgres.parts import differences, write
from aeterna.knowledge.domain.documents import DocumentId, Span, Unit, UnitId
from aeterna.knowledge.domain.entries import Changed, Kept
from aeterna.knowledge.errors import DocumentNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.adapters.postgres.parts import Difference
    from aeterna.knowledge.adapters.postgres.transactions import Statements, Transactions
    from aeterna.knowledge.domain.entries import Change, Record
    from aeterna.knowledge.domain.ingestions import Step


class PostgresLedger:
    """A `KnowledgeLedger` in PostgreSQL. Whoever changes a tenant's documents holds its ledger: one at a time does."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def digests(self, tenant: TenantId, documents: Sequence[DocumentId]) -> Mapping[DocumentId, str]:
        """See `KnowledgeLedger.digests`."""

        async def work(statements: Statements) -> Mapping[DocumentId, str]:
            return dict(await statements.rows("digests", ids=list(documents)))

        return await self._transactions.run(tenant, work)

    async def change(self, tenant: TenantId, change: Change, *, step: Step | None = None) -> Changed:
        """See `KnowledgeLedger.change`."""

        async def work(statements: Statements) -> Changed:
            position = await _locked(statements)
            changed = await _change(statements, change, position)
            if step is not None:
                await advance(statements, step, changed)
            return changed

        return await self._transactions.run(tenant, work)

    async def document(self, tenant: TenantId, document: DocumentId) -> Kept:
        """See `KnowledgeLedger.document`."""

        async def work(statements: Statements) -> Kept:
            rows = await statements.rows("document", id=document)
            if not rows:
                raise DocumentNotFoundError(document)
            id_, digest, media_type, title, text, units, warnings, by, at = rows[0]
            return Kept(
                document=id_,
                digest=digest,
                media_type=media_type,
                title=title,
                text=text,
                units=_units_of(id_, text, units),
                warnings=tuple(warnings),
                put_by=by,
                put_at=at,
            )

        return await self._transactions.run(tenant, work)

    async def documents(
        self, tenant: TenantId, *, prefix: str = "", after: DocumentId | None = None, limit: int
    ) -> Sequence[DocumentId]:
        """See `KnowledgeLedger.documents`."""

        async def work(statements: Statements) -> Sequence[DocumentId]:
            rows = await statements.rows("documents", prefix=prefix, after=after or "", limit=limit)
            return [id_ for (id_,) in rows]

        return await self._transactions.run(tenant, work)


async def _locked(statements: Statements) -> int:
    """Lock the tenant's ledger, which begins with the first document, and return its newest position."""
    rows = await statements.rows("lock_ledger")
    if not rows:
        await statements.do("begin_ledger")
        rows = await statements.rows("lock_ledger")
    ((position,),) = rows
    return int(position)


async def _change(statements: Statements, change: Change, position: int) -> Changed:
    said = [record.document for record in change.put]
    asked = [*said, *change.removed]
    if not asked:
        return Changed()
    found = {id_: (number, digest) for id_, number, digest in await statements.rows("found", ids=asked)}
    put = [record for record in change.put if found.get(record.document, (0, None))[1] != record.digest]
    removed = [document for document in change.removed if document in found]
    if not put and not removed:
        return Changed(unchanged=tuple(said))
    numbers = await _write_documents(statements, put, change) if put else {}
    gone = [found[document][0] for document in removed]
    now: dict[int, Record | None] = {numbers[record.document]: record for record in put}
    now |= dict.fromkeys(gone)
    known = [number for number, _ in found.values() if number in now]
    changes = list((await differences(statements, now, known)).values())
    touched = await write(statements, changes)
    if gone:
        await statements.do("remove_documents", numbers=gone)
    await forget(statements, _gone_units(changes))
    count = await append(statements, position, touched)
    stored = dict.fromkeys(record.document for record in put)
    return Changed(
        stored=tuple(stored),
        unchanged=tuple(document for document in said if document not in stored),
        removed=tuple(removed),
        touched=count,
    )


async def _write_documents(statements: Statements, put: Sequence[Record], change: Change) -> dict[DocumentId, int]:
    rows = await statements.rows(
        "write_documents",
        ids=[record.document for record in put],
        digests=[record.digest for record in put],
        media_types=[record.media_type for record in put],
        titles=[record.title for record in put],
        texts=[record.text for record in put],
        units=[_units_text(record.units) for record in put],
        warnings=[json.dumps(record.warnings) for record in put],
        by=change.author.subject,
        at=change.author.at,
    )
    return dict(rows)


def _gone_units(changes: Sequence[Difference]) -> list[UnitId]:
    """Return the units that are no longer said; one of which only the place changed is still there."""
    found: list[UnitId] = []
    for change in changes:
        said = {row.element for row in change.new_nodes}
        found += [
            UnitId(id_.removeprefix(UNIT_PREFIX))
            for element, _, id_ in change.gone_nodes
            if id_.startswith(UNIT_PREFIX) and element not in said
        ]
    return found


def _units_text(units: Sequence[Unit]) -> str:
    rows = [[unit.id, unit.span.start, unit.span.end, unit.heading, unit.suspicious] for unit in units]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def _units_of(document: DocumentId, text: str, units: str) -> tuple[Unit, ...]:
    return tuple(
        Unit(
            id=UnitId(id_),
            document=document,
            span=Span(start=start, end=end),
            heading=tuple(heading),
            text=text[start:end],
            suspicious=tuple(suspicious),
        )
        for id_, start, end, heading, suspicious in json.loads(units)
    )
