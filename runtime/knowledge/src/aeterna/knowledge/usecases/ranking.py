"""Finds the passages that may answer a question: by its words, by the graph around what it names, and by vectors."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.answers import Evidence, Leg, Ranked, SearchLimits, Trace
from aeterna.knowledge.domain.documents import UnitId
from aeterna.knowledge.domain.fusion import Fused, fused
from aeterna.knowledge.domain.passages import Rarity, joined, rated, window
from aeterna.knowledge.domain.surroundings import (
    CONTAINS,
    DOCUMENT_PREFIX,
    TEXT_UNIT,
    UNIT_PREFIX,
    passage_of,
)
from aeterna.knowledge.domain.tokens import tokens_of
from aeterna.knowledge.usecases.deadlines import Deadline
from aeterna.knowledge.usecases.naming import named_by, units_naming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.snapshots import AsOf
    from aeterna.knowledge.domain.documents import DocumentId
    from aeterna.knowledge.domain.queries import Query
    from aeterna.knowledge.domain.reports import Passage
    from aeterna.knowledge.ports import GraphReader, GraphReading, VectorIndex

MAX_DOCUMENT_UNITS: Final = 300
"""A document of more units is not read for what stands beside a passage."""
TRUST: Final[Mapping[str, float]] = {Leg.TEXT: 1.0, Leg.GRAPH: 0.1, Leg.VECTORS: 1.0}
"""How much each way of finding counts; docs/adr/0062 has what was measured."""


class Ranking:
    """Ranks evidence. ``legs`` are the ways of finding it that are used; vectors only where there is an index."""

    def __init__(
        self,
        graph: GraphReader,
        *,
        stopwatch: Callable[[], float],
        vectors: VectorIndex | None = None,
        legs: frozenset[Leg] = frozenset(Leg),
    ) -> None:
        self._graph = graph
        self._stopwatch = stopwatch
        self._vectors = vectors
        self._legs = legs

    async def ranked(
        self,
        tenant: TenantId,
        query: Query,
        *,
        limits: SearchLimits | None = None,
        as_of: AsOf | None = None,
        at_least: int = 0,
    ) -> Ranked:
        """Return the best evidence with where it stands; raise what the graph's reads raise."""
        limits = limits or SearchLimits()
        reading = self._graph.at(tenant, as_of=as_of, at_least=at_least)
        near: Sequence[UnitId] | None = None
        if self._vectors is not None and Leg.VECTORS in self._legs:
            near = await self._vectors.nearest(tenant, query.text, limit=limits.candidates)
        deadline = Deadline.after(limits.seconds, self._stopwatch)
        return await asyncio.to_thread(_Search(reading, query, limits, deadline).ranked, self._legs, near)


class _Search:
    """One question's reads of one graph. Each passage and each document is read once."""

    def __init__(self, reading: GraphReading, query: Query, limits: SearchLimits, deadline: Deadline) -> None:
        self._reading = reading
        self._query = query
        self._limits = limits
        self._deadline = deadline
        self._passages: dict[UnitId, Passage] = {}
        self._documents: dict[DocumentId, list[Passage]] = {}
        self._scores: Mapping[UnitId, float] = {}

    def ranked(self, legs: frozenset[Leg], near: Sequence[UnitId] | None) -> Ranked:
        """Find, join and read."""
        rankings: dict[str, Sequence[UnitId]] = {}
        trace = Trace()
        if Leg.TEXT in legs:
            seq, rankings[Leg.TEXT] = self._by_text()
            trace = replace(trace, seq=seq)
        if Leg.GRAPH in legs and not self._deadline.passed:
            named = named_by(self._reading, self._query)
            scores, hubs = units_naming(self._reading, named, self._deadline)
            best = sorted(scores, key=lambda unit: (-scores[unit], unit))
            rankings[Leg.GRAPH] = best[: self._limits.candidates]
            trace = replace(trace, named=tuple(each.id for each in named), hubs=hubs)
        if near is not None:
            rankings[Leg.VECTORS] = near
        found = tuple((leg, len(rankings[leg])) for leg in sorted(rankings))
        return self._read(fused(rankings, weights=TRUST), replace(trace, found=found))

    def _by_text(self) -> tuple[int, Sequence[UnitId]]:
        seq, nodes, holders = 0, 0, dict[str, int]()
        candidates: list[str] = []
        for place, terms in enumerate(self._query.searches, start=1):
            # What only means the same has to be better to be among the best.
            found = self._reading.find(terms, kinds=[TEXT_UNIT], limit=max(1, self._limits.candidates // place))
            seq, nodes = found.seq, found.nodes
            holders.update(found.holders)
            candidates += (hit.id for hit in found.hits)
            if self._deadline.passed:
                break
        self._scores = rated(self._query, self._known(candidates), Rarity(nodes=nodes, holders=holders))
        best = sorted(self._scores, key=lambda unit: (-self._scores[unit], unit))
        return seq, best[: self._limits.candidates]

    def _known(self, nodes: Iterable[str]) -> list[Passage]:
        """Return those nodes that are passages, read where they were not."""
        wanted = tuple(dict.fromkeys(UnitId(node.removeprefix(UNIT_PREFIX)) for node in nodes))
        missing = [f"{UNIT_PREFIX}{unit}" for unit in wanted if unit not in self._passages]
        for node in self._reading.nodes(missing).values():
            passage = passage_of(node)
            if passage is not None:
                self._passages[passage.unit] = passage
        return [self._passages[unit] for unit in wanted if unit in self._passages]

    def _read(self, best: Sequence[Fused[UnitId]], trace: Trace) -> Ranked:
        """Take the best passages with what is beside them, until there are enough or they have too many tokens."""
        evidence: list[Evidence] = []
        taken: set[UnitId] = set()
        worded: set[str] = set()
        tokens, cut_short = 0, self._deadline.passed
        for each in best:
            if len(evidence) >= self._limits.evidence:
                break
            if each.item in taken or not (known := self._known([each.item])):
                continue
            around = window(known[0], self._beside(known[0]), self._scores, taken)
            passage = joined(around, known[0])
            cost = tokens_of(passage.text)
            taken.update(one.unit for one in around)
            if (said := " ".join(passage.text.split())) in worded:
                continue
            if tokens + cost > self._limits.tokens:
                cut_short = True
                continue
            worded.add(said)
            tokens += cost
            evidence.append(Evidence(passage=passage, units=tuple(around), score=each.score, ranks=each.ranks))
        units = tuple(one.unit for each in evidence for one in each.units)
        return Ranked(evidence=tuple(evidence), trace=replace(trace, units=units, tokens=tokens, cut_short=cut_short))

    def _beside(self, passage: Passage) -> list[Passage]:
        """Return the passages of a document in their order; none of one that is too long, or when the time is up."""
        if passage.document not in self._documents and not self._deadline.passed:
            document = f"{DOCUMENT_PREFIX}{passage.document}"
            touching, more = self._reading.around(
                document, types=[CONTAINS], kinds=[TEXT_UNIT], direction="out", limit=MAX_DOCUMENT_UNITS
            )
            found = [] if more else [one for each in touching if (one := passage_of(each.node)) is not None]
            self._documents[passage.document] = sorted(found, key=lambda each: each.span)
        return self._documents.get(passage.document, [])
