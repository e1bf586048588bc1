"""What every reader of a graph for questions does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.changes import edge_of, node_of, session_of
from aeterna.graph.domain.identifiers import TenantId
from aeterna.graph.main import open_graphs
from aeterna.knowledge.adapters.graph_reader import LensGraphReader
from aeterna.knowledge.testing.questions import InMemoryGraphReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aeterna.knowledge.ports import GraphReading

TENANT = TenantId("acme")
NODES = [
    node_of("doc:page", "Document", {"name": "Animals"}),
    node_of("term:zebra", "Term", {"name": "zebra"}),
    node_of("unit:a", "TextUnit", {"text": "Zebras live in herds."}),
    node_of("unit:b", "TextUnit", {"text": "A zebra and a lion."}),
]
EDGES = [
    edge_of("doc:page", "contains", "unit:a"),
    edge_of("doc:page", "contains", "unit:b"),
    edge_of("unit:a", "mentions", "term:zebra", {"weight": 2.5}),
    edge_of("unit:b", "mentions", "term:zebra"),
]


@pytest.fixture(params=["memory", "lens"])
def reading(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GraphReading]:
    """Give each reading in turn."""
    if request.param == "memory":
        yield InMemoryGraphReader(NODES, EDGES).at(TENANT)
        return
    uri = f"sqlite:///{tmp_path}/catalog.db"
    graphs = open_graphs(catalog_uri=uri, warehouse=f"file://{tmp_path}", power_safe=False)
    graphs.of(TENANT).commit(session_of("1", subject="ada", nodes=NODES, edges=EDGES))
    yield LensGraphReader(graphs).at(TENANT)
    graphs.close()


def test_any_of_the_terms_is_found_and_each_is_counted(reading: GraphReading) -> None:
    found = reading.find(["zebra*", "lion*", "tiger"], kinds=["TextUnit"], limit=10)

    assert {hit.id for hit in found.hits} == {"unit:a", "unit:b"}
    assert found.hits[0].id == "unit:b"
    assert found.nodes == 4
    assert found.holders["lion*"] == 1
    assert found.holders["tiger"] == 0


def test_nodes_that_are_there_come_in_the_order_in_which_they_were_asked_for(reading: GraphReading) -> None:
    found = reading.nodes(["unit:b", "nobody", "term:zebra", "unit:b"])

    assert list(found) == ["unit:b", "term:zebra"]
    assert found["term:zebra"].properties == {"name": "zebra"}


def test_edges_come_with_their_weight_and_the_node_at_their_other_end(reading: GraphReading) -> None:
    found, more = reading.around("term:zebra", types=["mentions"], kinds=["TextUnit"], direction="in", limit=10)

    assert [(each.node.id, each.weight, each.outward) for each in found] == [
        ("unit:a", 2.5, False),
        ("unit:b", 1.0, False),
    ]
    assert not more


def test_no_more_nodes_than_asked_for_and_it_says_that_there_are_more(reading: GraphReading) -> None:
    found, more = reading.around("doc:page", direction="out", limit=1)

    assert [each.node.id for each in found] == ["unit:a"]
    assert more


def test_nothing_is_around_a_node_that_is_not_there(reading: GraphReading) -> None:
    assert reading.around("nobody", limit=1) == ((), False)
