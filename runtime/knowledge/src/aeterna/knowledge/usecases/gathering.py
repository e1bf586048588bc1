"""Gathers every unit of a tenant's documents: what reports may quote, and nothing else may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.documents import Unit
from aeterna.knowledge.errors import DocumentNotFoundError

if TYPE_CHECKING:
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.domain.documents import DocumentId
    from aeterna.knowledge.ports import KnowledgeLedger

_PAGE: Final = 1_000


async def units_of(ledger: KnowledgeLedger, tenant: TenantId) -> tuple[Unit, ...]:
    """Return the units of all documents; one that is deleted while this reads has none any more."""
    units = list[Unit]()
    last: DocumentId | None = None
    while True:
        page = await ledger.documents(tenant, after=last, limit=_PAGE)
        for document in page:
            try:
                units += (await ledger.document(tenant, document)).units
            except DocumentNotFoundError:
                continue
        if len(page) < _PAGE:
            return tuple(units)
        last = page[-1]
