"""How long a question takes: evidence by words and graph, and reports chosen from the top down, on 100,000 nodes."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from aeterna.graph.domain.changes import edge_of, node_of, session_of
from aeterna.graph.domain.identifiers import TenantId
from aeterna.graph.main import open_graphs
from aeterna.knowledge.adapters.graph_reader import LensGraphReader
from aeterna.knowledge.domain.communities import CommunityId
from aeterna.knowledge.domain.documents import DocumentId, Span, UnitId
from aeterna.knowledge.domain.queries import query_of
from aeterna.knowledge.domain.reports import Citation, Evidence, MaterialDigest, Report, Sentence
from aeterna.knowledge.usecases.answering_globally import GlobalAnswers
from aeterna.knowledge.usecases.answering_locally import LocalAnswers
from aeterna.knowledge.usecases.ranking import Ranking
from aeterna.knowledge.usecases.report_shelf import ReportShelf

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from aeterna.graph.domain.changes import Edge, JsonValue
    from aeterna.graph.usecases.graphs import Graphs

TENANT: Final = TenantId("bench")
UNITS: Final = 40_000
TERMS: Final = 58_000
DOCUMENTS: Final = 2_000
REPORTS: Final = 4_000
QUESTIONS: Final = 200
_VOCABULARY: Final = 20_000
_AT_ONCE: Final = 10_000


class Words:
    """Words by a power law, the same each time."""

    def __init__(self, seed: int = 1) -> None:
        self._chance = np.random.default_rng(seed)
        letters = "bcdfghklmnprstvz"
        made = itertools.product(letters, "aeiou", letters, "aeiou", letters)
        self._all = ["".join(part) for part in itertools.islice(made, _VOCABULARY)]
        self._chance.shuffle(self._all)
        share = 1 / np.arange(1, _VOCABULARY + 1)
        self._share = share / share.sum()

    def some(self, count: int) -> list[str]:
        """Draw words."""
        return [self._all[at] for at in self._chance.choice(_VOCABULARY, size=count, p=self._share)]


class BenchReports:
    """A `ReportsReader` of reports that do not change."""

    def __init__(self, reports: tuple[Report, ...]) -> None:
        self._reports = reports

    async def version(self, tenant: TenantId) -> str:
        """Return what never changes."""
        del tenant
        return "1"

    async def all(self, tenant: TenantId) -> tuple[Report, ...]:
        """Return them."""
        del tenant
        return self._reports


def make_graph(folder: Path, words: Words) -> Graphs:
    """Make units of eighty words, the terms they mention and their documents."""
    graphs = open_graphs(catalog_uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", power_safe=False)
    graph = graphs.of(TENANT)
    terms = list(dict.fromkeys(" ".join(words.some(2)) for _ in range(TERMS)))
    nodes = [node_of(f"doc:{at}", "Document", {"name": f"page {at}"}) for at in range(DOCUMENTS)]
    nodes += (node_of(f"term:{term}", "Term", {"name": term}) for term in terms)
    edges: list[Edge] = []
    each = UNITS // DOCUMENTS
    for at in range(UNITS):
        text = " ".join(words.some(80))
        start = at % each * 700
        place = {"document": str(at // each), "start": start, "end": start + len(text)}
        said: dict[str, JsonValue] = {"text": text, "heading": ["A", "B"], **place}
        nodes.append(node_of(f"unit:{at:032x}", "TextUnit", said))
        edges.append(edge_of(f"doc:{at // each}", "contains", f"unit:{at:032x}"))
        spoken = (terms[(at * 7 + step * step * 13) % len(terms)] for step in range(5))
        edges += (edge_of(f"unit:{at:032x}", "mentions", f"term:{term}", {"weight": 1.0}) for term in spoken)
    for place in range(0, len(nodes), _AT_ONCE):
        graph.commit(session_of(f"nodes-{place}", subject="bench", nodes=nodes[place : place + _AT_ONCE]))
    once = list({edge.key: edge for edge in edges}.values())
    for place in range(0, len(once), _AT_ONCE):
        graph.commit(session_of(f"edges-{place}", subject="bench", edges=once[place : place + _AT_ONCE]))
    return graphs


def make_reports(words: Words) -> tuple[Report, ...]:
    """Make three levels: one report of the first for ten of the second, and one of those for ten of the third."""
    return tuple(_reports(words))


def _reports(words: Words) -> Iterator[Report]:
    tops, middles = REPORTS // 111, REPORTS // 111 * 10
    for level, count, width in ((0, tops, 10), (1, middles, 10), (2, middles * 10, 0)):
        for at in range(count):
            unit = UnitId(f"{at:032x}")
            cited = Citation(document=DocumentId("0"), unit=unit, span=Span(start=0, end=1))
            yield Report(
                community=CommunityId(f"{level}-{at}"),
                level=level,
                digest=MaterialDigest(f"{level}-{at}"),
                title=" ".join(words.some(3)),
                sentences=tuple(Sentence(text=" ".join(words.some(20)), citations=(cited,)) for _ in range(8)),
                made_by="extractive",
                tokens=250,
                evidence=(Evidence(unit=unit, document=DocumentId("0"), start=0),),
                children=tuple(MaterialDigest(f"{level + 1}-{at * width + below}") for below in range(width)),
            )


async def measured(asked: list[str], answer: Callable[[str], Awaitable[object]]) -> dict[str, float]:
    """Return the milliseconds that half and 95 % of the questions take at most."""
    taken: list[float] = []
    for question in asked:
        begun = time.perf_counter()
        await answer(question)
        taken.append((time.perf_counter() - begun) * 1_000)
    return {"p50_ms": float(np.percentile(taken, 50)), "p95_ms": float(np.percentile(taken, 95))}


async def measure(folder: Path) -> dict[str, dict[str, float]]:
    """Make the graph and the reports, and ask."""
    words = Words()
    graphs = make_graph(folder, words)
    shelf = ReportShelf(BenchReports(make_reports(words)))
    ranking = Ranking(LensGraphReader(graphs), stopwatch=time.monotonic)
    local = LocalAnswers(ranking, shelf)
    wide = GlobalAnswers(shelf, stopwatch=time.monotonic)
    asked = [f"how does {' '.join(words.some(5))} work" for _ in range(QUESTIONS)]
    await local.answer(TENANT, query_of(asked[0]))  # makes the index, once
    try:
        return {
            "evidence": await measured(asked, lambda question: ranking.ranked(TENANT, query_of(question))),
            "local": await measured(asked, lambda question: local.answer(TENANT, query_of(question))),
            "global": await measured(asked, lambda question: wide.answer(TENANT, query_of(question))),
        }
    finally:
        graphs.close()


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(json.dumps(asyncio.run(measure(Path(folder)))) + "\n")


if __name__ == "__main__":
    main()
