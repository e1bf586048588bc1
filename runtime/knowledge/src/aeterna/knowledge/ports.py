"""What knowledge needs from the world: somebody who reads documents, and somebody who finds communities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from aeterna.graph.domain.changes import EdgeKey, Session
    from aeterna.graph.domain.identifiers import NodeId, TenantId
    from aeterna.graph.domain.snapshots import AsOf, Receipt
    from aeterna.knowledge.domain.budgets import Reservation
    from aeterna.knowledge.domain.communities import CommunityId, Earlier, Hierarchy, Parameters, Topology
    from aeterna.knowledge.domain.documents import DocumentId, Parsed, UnitId, Upload
    from aeterna.knowledge.domain.entries import Change, Changed, Kept
    from aeterna.knowledge.domain.ingestions import Ingestion, IngestionId, Refusal, Step
    from aeterna.knowledge.domain.memberships import Run
    from aeterna.knowledge.domain.models import AnswerForm, KeptAnswer, Message, ModelAnswer, Vectors
    from aeterna.knowledge.domain.publishing import Pending, SliceLimits
    from aeterna.knowledge.domain.regenerated import Regenerated
    from aeterna.knowledge.domain.report_plans import Outline
    from aeterna.knowledge.domain.reports import Material, Report
    from aeterna.knowledge.domain.surroundings import Finding, GraphNode, Touching
    from aeterna.knowledge.domain.tables import Table


class DocumentReader(Protocol):
    """Reads documents of every kind that is known: a text, or a table that says itself what it puts into the graph.

    Kept by ``adapters.documents``.
    """

    def read(self, upload: Upload) -> Parsed | Table:
        """Read the document, in bounded time and memory whatever it holds; raise `DocumentRefusedError`."""
        ...


class CommunityDetector(Protocol):
    """Finds communities. Kept by ``adapters.communities``."""

    def detect(self, topology: Topology, parameters: Parameters, *, earlier: Earlier | None = None) -> Hierarchy:
        """Return the hierarchy of a graph, every community of it connected.

        With an ``earlier`` one of a graph that was much like it, it is found sooner and is much like that one.
        """
        ...


class Topologies(Protocol):
    """Tenants' graphs as communities are found in them. Kept by ``adapters.graph_topologies``; faked in ``testing``."""

    def now(self, tenant: TenantId) -> tuple[int, Topology]:
        """Return the newest state and its seq; blocks, and raises one of `GraphError`."""
        ...

    def then(self, tenant: TenantId, seq: int) -> Topology | None:
        """Return the state as of a seq, None when that can no longer be read; blocks as `now`."""
        ...


class KnowledgeLedger(Protocol):
    """Every document of a tenant and what it contributes. Kept by ``adapters.postgres``; faked in ``testing``.

    Raises `StoreBusyError`, `StoreUnavailableError`.
    """

    async def digests(self, tenant: TenantId, documents: Sequence[DocumentId]) -> Mapping[DocumentId, str]:
        """Return the digests of those documents that there are, in one question however many they are."""
        ...

    async def change(self, tenant: TenantId, change: Change, *, step: Step | None = None) -> Changed:
        """Put and remove documents, all of them or none, and note what the graph is to show anew.

        An entry of the digest that is there changes nothing. Reports that stand on a unit that goes are gone with it.
        ``step`` is noted in the same transaction; raise `IngestionTakenError` when somebody else has gone further.
        Raise `DocumentRefusedError` for an entry that no graph takes; nothing was changed then.
        """
        ...

    async def document(self, tenant: TenantId, document: DocumentId) -> Kept:
        """Return a document, or raise `DocumentNotFoundError`."""
        ...

    async def documents(
        self, tenant: TenantId, *, prefix: str = "", after: DocumentId | None = None, limit: int
    ) -> Sequence[DocumentId]:
        """Return the first documents behind ``after`` whose ids begin with ``prefix``, in the order of their ids."""
        ...


class Outbox(Protocol):
    """What the graph does not show yet. Kept by ``adapters.postgres``; faked in ``testing``.

    Slices are published in order. One that was begun stays what it is until it is published, whoever asks for it.
    """

    def publishing(self, tenant: TenantId) -> AbstractAsyncContextManager[bool]:
        """Wait to be the tenant's publisher; False when another one was for all of the time that one may wait."""
        ...

    async def pending(self, tenant: TenantId, limits: SliceLimits) -> Pending | None:
        """Return the slice that was begun, or begin the next one; None when the graph shows everything."""
        ...

    async def published(self, tenant: TenantId, pending: Pending, *, seq: int) -> None:
        """Note that the graph shows the slice since ``seq``; that somebody else noted it before is no error."""
        ...

    async def again(self, tenant: TenantId, nodes: Collection[NodeId], edges: Collection[EdgeKey]) -> None:
        """Put nodes, and behind them edges, at the end of what is to be shown."""
        ...

    async def everything_again(self, tenant: TenantId) -> int:
        """Begin a new life of the ledger, in which all of its nodes and edges are to be shown anew; return how many."""
        ...

    async def shown_seq(self, tenant: TenantId) -> int:
        """Return the seq of the newest session that showed a slice; 0 before the first."""
        ...


class Ingestions(Protocol):
    """Pieces of work over many documents. Kept by ``adapters.postgres``; faked in ``testing``."""

    async def begin(self, tenant: TenantId, ingestion: Ingestion) -> Ingestion:
        """Write it down, unless there is one of its id: return what is there."""
        ...

    async def ingestion(self, tenant: TenantId, ingestion: IngestionId) -> Ingestion:
        """Return how far it is, or raise `IngestionNotFoundError`."""
        ...

    async def refusals(self, tenant: TenantId, ingestion: IngestionId) -> Sequence[Refusal]:
        """Return what was kept out, in the order of the documents' ids."""
        ...

    async def finish(self, tenant: TenantId, ingestion: IngestionId, *, at: datetime) -> None:
        """Note that nothing is left to be done."""
        ...


class Memberships(Protocol):
    """Which node was in which community, and when. Kept by ``adapters.postgres``; faked in ``testing``.

    Without a ``seq`` the newest run answers, with one the newest run that is not later.
    """

    def running(self, tenant: TenantId) -> AbstractAsyncContextManager[bool]:
        """Be the one who runs for the tenant; False when somebody else does."""
        ...

    async def record(self, tenant: TenantId, run: Run) -> bool:
        """Write down what a run found, as what holds from its seq on; False when a later run, or this one, is there."""
        ...

    async def run(self, tenant: TenantId, *, seq: int | None = None) -> Run | None:
        """Return all that a run found; None before the first."""
        ...

    async def communities_of(self, tenant: TenantId, node: str, *, seq: int | None = None) -> tuple[CommunityId, ...]:
        """Return the communities of a node, the coarsest first."""
        ...

    async def members_of(self, tenant: TenantId, community: CommunityId, *, seq: int | None = None) -> tuple[str, ...]:
        """Return the nodes of a community in the order of their ids, whichever level it is at."""
        ...


class GraphWriter(Protocol):
    """Where the graph of a tenant is written. Kept by ``adapters.graph_writer``; faked in ``testing``."""

    async def commit(self, tenant: TenantId, session: Session) -> Receipt:
        """Return when the session is durable; raise one of `GraphError`."""
        ...


class Materials(Protocol):
    """The communities of one moment, and what their reports are made of. Kept by ``domain.materials``."""

    def outlines(self) -> Iterable[Outline]:
        """Give out what planning has to know of each community."""
        ...

    def material(self, community: CommunityId) -> Material:
        """Return the material of one of them, without the reports of its children."""
        ...


class Reports(Protocol):
    """The reports of tenants, one for each community at most. Faked in ``testing``."""

    async def all(self, tenant: TenantId) -> tuple[Report, ...]:
        """Return every report."""
        ...

    async def read(self, tenant: TenantId, communities: Collection[CommunityId]) -> Mapping[CommunityId, Report]:
        """Return the reports on these communities, as many as there are."""
        ...

    async def apply(self, tenant: TenantId, put: Sequence[Report], removed: Collection[CommunityId]) -> None:
        """Take reports away, then put these in the place of what their communities had: all of it, or nothing.

        One that stands on a unit that is gone by now, or above a report that is, is left out: it was made too late.
        """
        ...


class ReportWriter(Protocol):
    """Makes reports better than extraction can."""

    @property
    def made_by(self) -> str:
        """What its reports say of who made them."""
        ...

    async def write(self, material: Material) -> Report:
        """Return a report: an extractive one that says why, where there is no better. No model's trouble is raised."""
        ...


class ReportObserver(Protocol):
    """Is told what became of reports."""

    def regenerated(self, tenant: TenantId, figures: Regenerated) -> None:
        """Count one round."""
        ...


class LanguageModel(Protocol):
    """Answers in JSON. Kept by ``adapters.openai_compatible``; faked in ``testing``."""

    @property
    def name(self) -> str:
        """What the model is called."""
        ...

    async def answer(self, messages: Sequence[Message], form: AnswerForm, *, max_tokens: int) -> ModelAnswer:
        """Return its answer, which may be anything; raise `ModelUnavailableError` or `ModelAnswerError`."""
        ...


class Embedder(Protocol):
    """Turns texts into vectors. Kept by ``adapters.openai_compatible``; faked in ``testing``."""

    @property
    def name(self) -> str:
        """What its model is called; vectors of different models cannot be compared."""
        ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return a row of length 1 for each text; raise `ModelUnavailableError` or `ModelAnswerError`."""
        ...


class AnswerCache(Protocol):
    """What models answered, by the key of the question. Faked in ``testing``."""

    async def get(self, tenant: TenantId, key: str) -> KeptAnswer | None:
        """Return what is kept."""
        ...

    async def put(self, tenant: TenantId, key: str, kept: KeptAnswer) -> None:
        """Keep it, unless one of its units is gone by now."""
        ...

    async def forget(self, tenant: TenantId, units: Collection[UnitId]) -> None:
        """Drop what was asked about one of these units, and what does not say what it was asked about."""
        ...


class TokenLedger(Protocol):
    """What tenants spend on models, across all processes. Faked in ``testing``."""

    async def reserve(self, tenant: TenantId, tokens: int) -> Reservation | None:
        """Set tokens aside for a call, by `domain.budgets.reserved`; None where the tenant has not so many left."""
        ...

    async def settle(self, tenant: TenantId, reservation: Reservation, used: int) -> None:
        """Note what the call used in the place of what was set aside."""
        ...


class GraphReading(Protocol):
    """One tenant's graph at a moment, or its newest state; reads block. Raises what the graph raises."""

    def find(self, terms: Sequence[str], *, kinds: Iterable[str] = (), limit: int) -> Finding:
        """Return the nodes that hold any of the terms: words, beginnings such as ``delet*``, phrases in quotes."""
        ...

    def nodes(self, ids: Iterable[str]) -> Mapping[str, GraphNode]:
        """Return those of the nodes that there are, in the order in which they were asked for."""
        ...

    def around(
        self, node: str, *, types: Iterable[str] = (), kinds: Iterable[str] = (), direction: str = "both", limit: int
    ) -> tuple[tuple[Touching, ...], bool]:
        """Return the edges to the first nodes around one, in the order of their ids, and whether there are more.

        Nothing is around a node that is not there.
        """
        ...


class GraphReader(Protocol):
    """Reads graphs for questions. Kept by ``adapters.graph_reader``; faked in ``testing``."""

    def at(self, tenant: TenantId, *, as_of: AsOf | None = None, at_least: int = 0) -> GraphReading:
        """Return the tenant's graph as of a moment; nothing is read yet."""
        ...


class VectorIndex(Protocol):
    """Units by likeness of meaning, where embeddings are kept. Faked in ``testing``."""

    async def nearest(self, tenant: TenantId, text: str, *, limit: int) -> Sequence[UnitId]:
        """Return the units that are most like a text, the best first; none where the embedder does not answer."""
        ...


class ReportsReader(Protocol):
    """The reports of tenants, as questions read them. Faked in ``testing``."""

    async def version(self, tenant: TenantId) -> str:
        """Return what changes whenever a report of the tenant comes, changes or goes; cheap to ask for."""
        ...

    async def all(self, tenant: TenantId) -> tuple[Report, ...]:
        """Return every report."""
        ...
