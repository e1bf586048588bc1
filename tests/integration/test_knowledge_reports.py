"""From documents to reports: the readers, a graph on Iceberg, Leiden and names that stay are the real ones."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.changes import removed_node_of, session_of
from aeterna.graph.domain.identifiers import NodeId, TenantId
from aeterna.knowledge.adapters.communities.detector import IgraphCommunityDetector
from aeterna.knowledge.adapters.documents.files import DocumentFiles
from aeterna.knowledge.adapters.graph_materials import graph_materials
from aeterna.knowledge.domain.communities import Parameters
from aeterna.knowledge.domain.contributions import published_edge, published_node
from aeterna.knowledge.domain.documents import DocumentId, UnitId, Upload
from aeterna.knowledge.domain.naming import named
from aeterna.knowledge.testing.reports import CountedReports, InMemoryReports
from aeterna.knowledge.usecases.reading import entry_of
from aeterna.knowledge.usecases.reporting import Reporting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aeterna.graph.domain.changes import Edge, Node
    from aeterna.graph.usecases.graphs import Graph
    from aeterna.knowledge.domain.documents import Unit
    from aeterna.knowledge.domain.entries import Entry
    from aeterna.knowledge.domain.naming import Membership
    from fixtures.fix_graph import GraphBench

ACME = TenantId("acme")
GUIDES = Path(__file__).parents[2] / "docs" / "guide"


class Library:
    """Guides of this project in a tenant's graph, and the reports on its communities."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.texts: dict[str, str] = {}
        self.reports = InMemoryReports()
        self.counted = CountedReports()
        self._entries: dict[DocumentId, Entry] = {}
        self._files = DocumentFiles()
        self._membership: Membership | None = None
        self._sessions = 0

    def put(self, name: str, text: str) -> None:
        """Take a document and show it."""
        entry = entry_of(self._files, Upload(id=DocumentId(name), content=text.encode(), name=name))
        before = self._entries.get(DocumentId(name))
        self._entries[DocumentId(name)] = entry
        self.texts[name] = entry.text
        present = {unit.id for unit in entry.units}
        gone = {unit.id for unit in before.units} - present if before is not None else set[UnitId]()
        self.reports.put_units(ACME, present)
        self.reports.delete_units(ACME, gone)
        if gone:
            self._commit((), (), [removed_node_of(f"unit:{unit}") for unit in gone])
        contribution = entry.contribution
        self._commit((published_node([(entry.contribution.document, part)]) for part in contribution.nodes), ())
        self._commit((), (published_edge([(entry.contribution.document, part)]) for part in contribution.edges))

    @property
    def units(self) -> list[Unit]:
        """What documents hold."""
        return [unit for entry in self._entries.values() for unit in entry.units]

    def report(self) -> None:
        """Find communities and bring their reports up to date."""
        seq, topology = self.graph.topology()
        hierarchy = IgraphCommunityDetector().detect(topology, Parameters())
        self._membership = named(hierarchy, topology.ids, self._membership, seq=seq)
        read, materials = graph_materials(self.graph, self._membership.mappings(), self.units, at_least=seq)
        assert read == seq
        asyncio.run(Reporting(ACME, self.reports, self.counted).refresh(materials))

    def _commit(self, nodes: Iterable[Node], edges: Iterable[Edge], gone: Iterable[NodeId] = ()) -> None:
        self._sessions += 1
        name = f"s{self._sessions}"
        self.graph.commit(session_of(name, subject="test", nodes=nodes, edges=edges, removed_nodes=gone))


@pytest.fixture
def library(iceberg_bench: GraphBench) -> Iterator[Library]:
    """Return a library with three guides in it."""
    graphs = iceberg_bench.graphs()
    made = Library(graphs.of(ACME))
    for name in ("graph-maintenance.md", "secrets.md", "policy.md"):
        made.put(name, (GUIDES / name).read_text())
    yield made
    graphs.close()


def test_every_sentence_of_a_report_is_where_its_citation_says(library: Library) -> None:
    library.report()

    reports = asyncio.run(library.reports.all(ACME))
    assert len({report.level for report in reports}) > 1
    for report in reports:
        assert report.tokens <= 2_000
        for sentence in report.sentences:
            for citation in sentence.citations:
                text = library.texts[citation.document]
                assert " ".join(text[citation.span.start : citation.span.end].split()) == sentence.text
    top = [report for report in reports if report.level == 0 and report.sentences]
    assert {c.document for report in top for one in report.sentences for c in one.citations} == set(library.texts)


def test_what_did_not_change_is_not_reported_on_again_and_an_insertion_moves_what_stands_behind_it(
    library: Library,
) -> None:
    library.report()
    every = library.counted.rounds[-1].made
    library.report()
    again = library.counted.rounds[-1]
    assert (again.kept, again.made, again.moved) == (every, 0, 0)

    library.put("secrets.md", "Zanzibar is where this begins.\n\n" + library.texts["secrets.md"])
    library.report()

    figures = library.counted.rounds[-1]
    assert 0 < figures.made < every / 2
    assert figures.moved > 0
    reports = asyncio.run(library.reports.all(ACME))
    assert any("Zanzibar" in one.text for report in reports for one in report.sentences)
    for report in reports:
        for sentence in report.sentences:
            (citation,) = sentence.citations
            text = library.texts[citation.document]
            assert " ".join(text[citation.span.start : citation.span.end].split()) == sentence.text


def test_a_node_that_vanishes_while_reports_are_made_is_read_over(library: Library) -> None:
    seq, topology = library.graph.topology()
    membership = named(IgraphCommunityDetector().detect(topology, Parameters()), topology.ids, None, seq=seq)
    gone = next(id_ for id_ in topology.ids if id_.startswith("term:"))
    library.graph.commit(session_of("late", subject="test", removed_nodes=[removed_node_of(gone)]))

    _, materials = graph_materials(library.graph, membership.mappings(), library.units)

    kinds = {
        one.id: one.kind for outline in materials.outlines() for one in materials.material(outline.community).members
    }
    assert kinds[gone] == ""
    assert {kind for id_, kind in kinds.items() if id_.startswith("term:") and id_ != gone} == {"Term"}
