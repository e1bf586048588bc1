"""Finds the passages that may answer a question: by its words, by the graph around what it names, and by vectors."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.answers import Evidence, Leg, Ranked, SearchLimits, Trace
from aeterna.knowledge.domain.fusion import fused
from aeterna.knowledge.domain.surroundings import (
    CODE_PREFIX,
    MENTIONS,
    TERM_PREFIX,
    TEXT_UNIT,
    UNIT_PREFIX,
    passage_of,
)
from aeterna.knowledge.domain.tokens import tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.snapshots import AsOf
    from aeterna.knowledge.domain.queries import Query
    from aeterna.knowledge.domain.reports import Passage
    from aeterna.knowledge.ports import GraphReader, GraphReading, VectorIndex

MAX_NAMED: Final = 12
MAX_MENTIONS: Final = 300
"""More units than this mention a hub: it tells nothing apart, and full text ranks them better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """When no further work is begun."""

    stopwatch: Callable[[], float]
    at: float

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return self.stopwatch() >= self.at


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
        deadline = Deadline(stopwatch=self._stopwatch, at=self._stopwatch() + limits.seconds)
        reading = self._graph.at(tenant, as_of=as_of, at_least=at_least)
        rankings, trace = await asyncio.to_thread(self._from_graph, reading, query, limits, deadline)
        if self._vectors is not None and Leg.VECTORS in self._legs and not deadline.passed:
            near = await self._vectors.nearest(tenant, query.text, limit=limits.candidates)
            rankings[Leg.VECTORS] = [f"{UNIT_PREFIX}{unit}" for unit in near]
        found = tuple((leg, len(rankings[leg])) for leg in sorted(rankings))
        trace = replace(trace, found=found, cut_short=deadline.passed)
        return await asyncio.to_thread(_evidence, reading, rankings, limits, trace)

    def _from_graph(
        self, reading: GraphReading, query: Query, limits: SearchLimits, deadline: Deadline
    ) -> tuple[dict[str, list[str]], Trace]:
        rankings: dict[str, list[str]] = {}
        trace = Trace()
        if Leg.TEXT in self._legs:
            seq, hits = reading.find(query.search_text, kinds=[TEXT_UNIT], limit=limits.candidates)
            rankings[Leg.TEXT] = [hit.id for hit in hits]
            trace = replace(trace, seq=seq)
        if Leg.GRAPH in self._legs and not deadline.passed:
            scores, named, hubs = units_naming(reading, query.names, deadline)
            best = sorted(scores, key=lambda unit: (-scores[unit], unit))
            rankings[Leg.GRAPH] = best[: limits.candidates]
            trace = replace(trace, named=named, hubs=hubs)
        return rankings, trace


def units_naming(
    reading: GraphReading, names: Iterable[str], deadline: Deadline
) -> tuple[Mapping[str, float], tuple[str, ...], tuple[str, ...]]:
    """Return how much each unit speaks of the terms that are named, the terms themselves, and those that are hubs.

    A term that few units mention tells more than one that many do.
    """
    scores: dict[str, float] = defaultdict(float)
    named: list[str] = []
    hubs: list[str] = []
    for term in reading.nodes(f"{prefix}{name}" for name in names for prefix in (TERM_PREFIX, CODE_PREFIX)).values():
        if len(named) >= MAX_NAMED or deadline.passed:
            break
        named.append(term.id)
        mentions, more = reading.around(
            term.id, types=[MENTIONS], kinds=[TEXT_UNIT], direction="in", limit=MAX_MENTIONS
        )
        if more:
            hubs.append(term.id)
            continue
        telling = math.log(1 + MAX_MENTIONS / max(1, len(mentions)))
        for each in mentions:
            scores[each.node.id] += telling * each.weight / (1 + each.weight)
    return {unit: round(score, 9) for unit, score in scores.items()}, tuple(named), tuple(hubs)


def _evidence(
    reading: GraphReading, rankings: Mapping[str, Sequence[str]], limits: SearchLimits, trace: Trace
) -> Ranked:
    """Read the best passages until there are enough or they have too many tokens; the same text counts once."""
    evidence: list[Evidence] = []
    seen: set[str] = set()
    tokens = 0
    cut_short = trace.cut_short
    best = fused(rankings)
    for start in range(0, len(best), limits.evidence):
        some = best[start : start + limits.evidence]
        nodes = reading.nodes(each.item for each in some)
        for each in some:
            node = nodes.get(each.item)
            passage = passage_of(node) if node is not None else None
            if passage is None or _worded(passage) in seen or len(evidence) >= limits.evidence:
                continue
            cost = tokens_of(passage.text)
            if tokens + cost > limits.tokens:
                cut_short = True
                continue
            seen.add(_worded(passage))
            tokens += cost
            evidence.append(Evidence(passage=passage, score=each.score, ranks=each.ranks))
        if len(evidence) >= limits.evidence or cut_short:
            break
    units = tuple(each.passage.unit for each in evidence)
    return Ranked(evidence=tuple(evidence), trace=replace(trace, units=units, tokens=tokens, cut_short=cut_short))


def _worded(passage: Passage) -> str:
    return " ".join(passage.text.split())
