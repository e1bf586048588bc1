"""The knowledge of all tenants, as a service uses it: put a document, open what a citation names, ask a question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.documents import DocumentId
from aeterna.knowledge.domain.queries import query_of
from aeterna.knowledge.errors import DocumentRefusedError
from aeterna.knowledge.usecases.publishing import Published

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.snapshots import AsOf
    from aeterna.knowledge.domain.answers import Ranked, SearchLimits
    from aeterna.knowledge.domain.documents import Upload
    from aeterna.knowledge.domain.entries import Kept
    from aeterna.knowledge.domain.ingestions import Ingestion, IngestionId
    from aeterna.knowledge.ports import Ingestions, KnowledgeLedger
    from aeterna.knowledge.usecases.ingesting import Ingesting, Outcome
    from aeterna.knowledge.usecases.ranking import Ranking

MAX_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of one document: whether anything ``changed``, and from when on the graph shows it."""

    changed: bool
    published: Published


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Ids of documents in their order; ``following`` is where the next page begins, None at the end."""

    documents: tuple[DocumentId, ...]
    following: DocumentId | None


class Knowledge:
    """Documents and questions; each tenant's are its own. Everything raises what the ledger and the graph do."""

    def __init__(
        self, *, ledger: KnowledgeLedger, ingestions: Ingestions, ingesting: Ingesting, ranking: Ranking
    ) -> None:
        self._ledger = ledger
        self._ingestions = ingestions
        self._ingesting = ingesting
        self._ranking = ranking

    async def put(self, tenant: TenantId, upload: Upload, *, by: str) -> Written:
        """Put a document in the place of what it said before, and return when the graph shows it.

        Raise `DocumentRefusedError`; what it said before stays then.
        """
        outcome = await self._ingesting.put(tenant, [upload], by=by)
        for refusal in outcome.refused:
            raise DocumentRefusedError(refusal.document, refusal.reason)
        return _written(outcome)

    async def delete(self, tenant: TenantId, document: DocumentId, *, by: str) -> Written:
        """Remove a document and exactly what only it said; one that is not there changes nothing."""
        return _written(await self._ingesting.delete(tenant, [document], by=by))

    async def document(self, tenant: TenantId, document: DocumentId) -> Kept:
        """Return a document with its text, or raise `DocumentNotFoundError`."""
        return await self._ledger.document(tenant, document)

    async def documents(
        self, tenant: TenantId, *, prefix: str = "", after: DocumentId | None = None, limit: int
    ) -> Page:
        """Return one page of the ids that begin with a prefix; ``limit`` is 1 to `MAX_PAGE`."""
        found: Sequence[DocumentId] = await self._ledger.documents(tenant, prefix=prefix, after=after, limit=limit + 1)
        shown = tuple(found[:limit])
        return Page(documents=shown, following=shown[-1] if len(found) > limit else None)

    async def ingestion(self, tenant: TenantId, ingestion: IngestionId) -> Ingestion:
        """Return how far an ingestion is, or raise `IngestionNotFoundError`."""
        return await self._ingestions.ingestion(tenant, ingestion)

    async def ask(
        self,
        tenant: TenantId,
        question: str,
        *,
        limits: SearchLimits | None = None,
        as_of: AsOf | None = None,
        at_least: int = 0,
    ) -> Ranked:
        """Return the passages that may answer a question, the best first; raise `QuestionRefusedError`."""
        return await self._ranking.ranked(tenant, query_of(question), limits=limits, as_of=as_of, at_least=at_least)


def _written(outcome: Outcome) -> Written:
    return Written(changed=bool(outcome.stored or outcome.removed), published=outcome.published)
