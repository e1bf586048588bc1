"""Ingestions in PostgreSQL: how far they are is written in the transaction that brings them there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.knowledge.domain.ingestions import Ingestion, Refusal
from aeterna.knowledge.errors import IngestionNotFoundError, IngestionTakenError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.adapters.postgres.transactions import Statements, Transactions
    from aeterna.knowledge.domain.entries import Changed
    from aeterna.knowledge.domain.ingestions import IngestionId, Step


class PostgresIngestions:
    """An `Ingestions` in PostgreSQL."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def begin(self, tenant: TenantId, ingestion: Ingestion) -> Ingestion:
        """See `Ingestions.begin`."""

        async def work(statements: Statements) -> Ingestion:
            await statements.do(
                "begin_ingestion",
                id=ingestion.id,
                source=ingestion.source,
                started_by=ingestion.started_by,
                started_at=ingestion.started_at,
                total=ingestion.total,
                mirrors=ingestion.mirrors,
            )
            return await _ingestion(statements, ingestion.id)

        return await self._transactions.run(tenant, work)

    async def ingestion(self, tenant: TenantId, ingestion: IngestionId) -> Ingestion:
        """See `Ingestions.ingestion`."""
        return await self._transactions.run(tenant, lambda statements: _ingestion(statements, ingestion))

    async def refusals(self, tenant: TenantId, ingestion: IngestionId) -> Sequence[Refusal]:
        """See `Ingestions.refusals`."""

        async def work(statements: Statements) -> Sequence[Refusal]:
            rows = await statements.rows("refusals", id=ingestion)
            return [Refusal(document=document, reason=reason) for document, reason in rows]

        return await self._transactions.run(tenant, work)

    async def finish(self, tenant: TenantId, ingestion: IngestionId, *, at: datetime) -> None:
        """See `Ingestions.finish`."""

        async def work(statements: Statements) -> None:
            await statements.do("finish", id=ingestion, at=at)

        await self._transactions.run(tenant, work)


async def advance(statements: Statements, step: Step, changed: Changed) -> None:
    """Note a step in the transaction that makes it; raise `IngestionTakenError` when somebody else went further.

    A step that is there already was made by this transaction's first attempt, of which the answer was lost.
    """
    made = await statements.rows(
        "advance",
        id=step.ingestion,
        before=step.before,
        after=step.after,
        stored=len(changed.stored),
        unchanged=len(changed.unchanged) + step.unchanged,
        removed=len(changed.removed),
        refused=len(step.refused),
    )
    if not made:
        now = await _ingestion(statements, step.ingestion)
        if now.cursor != step.after or now.finished_at is not None or changed.touched:
            raise IngestionTakenError(step.ingestion)
    elif step.refused:
        await statements.do(
            "write_refusals",
            id=step.ingestion,
            documents=[refusal.document for refusal in step.refused],
            reasons=[refusal.reason for refusal in step.refused],
        )


async def _ingestion(statements: Statements, id_: IngestionId) -> Ingestion:
    rows = await statements.rows("ingestion", id=id_)
    if not rows:
        raise IngestionNotFoundError(id_)
    names = (
        "id",
        "source",
        "started_by",
        "started_at",
        "finished_at",
        "total",
        "mirrors",
        "stored",
        "unchanged",
        "removed",
        "refused",
        "cursor",
    )
    return Ingestion(**dict(zip(names, rows[0], strict=True)))
