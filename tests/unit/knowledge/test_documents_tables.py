"""Tables of nodes and edges, and what GraphRAG writes, are taken over as they are."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pyarrow  # noqa: ICN001 - `pa` is the name without types
import pyarrow.parquet
import pytest

from aeterna.knowledge.domain.contributing import contribution_of
from aeterna.knowledge.domain.contributions import UNKNOWN_KIND, published_node
from aeterna.knowledge.domain.documents import DocumentId
from aeterna.knowledge.errors import DocumentRefusedError
from fixtures.fix_documents import Documents, uploaded

if TYPE_CHECKING:
    from aeterna.knowledge.domain.tables import Table

# Any: pyarrow has no types.
pa: Any = pyarrow
pq: Any = pyarrow.parquet


def parquet(rows: list[dict[str, object]]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), stream)
    return stream.getvalue()


def edges_of(table: Table) -> list[tuple[str, str, str, float]]:
    return [(edge.key.source, edge.key.type, edge.key.target, edge.weight) for edge in table.edges]


def test_a_table_of_nodes_gives_nodes_whose_other_columns_are_properties(documents: Documents) -> None:
    table = documents.table("id,kind,name,note\n1,Person,Ada,\n2,Person,Bob,x\n", "nodes.csv")

    said = [(node.id, node.kind, node.properties) for node in table.nodes]
    assert said == [("1", "Person", {"name": "Ada"}), ("2", "Person", {"name": "Bob", "note": "x"})]


def test_a_table_of_edges_gives_edges_and_ends_of_which_nothing_is_known(documents: Documents) -> None:
    table = documents.table("source;type;target;weight;since\na;knows;b;2.5;2001\nb;knows;c;;\n", "edges.csv")

    assert edges_of(table) == [("a", "knows", "b", 2.5), ("b", "knows", "c", 1.0)]
    assert [(node.id, node.kind) for node in table.nodes] == [(name, UNKNOWN_KIND) for name in "abc"]


def test_what_says_the_kind_of_a_node_wins_over_what_only_names_it(documents: Documents) -> None:
    """Whatever the files are called: the order of documents must not decide what a node is."""
    edges = documents.table("source,type,target\na,knows,b\n", "a.csv").nodes[0]
    nodes = documents.table("id,kind\na,Person\n", "b.csv").nodes[0]

    assert published_node([(DocumentId("a.csv"), edges), (DocumentId("b.csv"), nodes)]).kind == "Person"


def test_a_contribution_of_a_table_is_the_table(documents: Documents) -> None:
    upload = uploaded("source,type,target\na,knows,b\n", "edges.csv")
    units, contribution = contribution_of(documents.files.read(upload), upload)

    assert units == ()
    assert {node.id for node in contribution.nodes} == {"a", "b"}
    assert [edge.key for edge in contribution.edges] == [("a", "knows", "b")]


def test_parquet_is_read_as_csv_is_with_its_types(documents: Documents) -> None:
    table = documents.table(
        parquet([{"id": 7, "kind": "Thing", "size": 1.5, "tags": ["a"], "none": None}]), "n.parquet"
    )

    assert [(node.id, node.properties) for node in table.nodes] == [("7", {"size": 1.5, "tags": ["a"]})]


def test_any_other_csv_is_text(documents: Documents) -> None:
    assert documents.text("name,age\nAda,36\n", "people.csv").text == "name,age\nAda,36\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("id,kind\n,Person\n", "row 1"),
        ("id,kind\na,not a label\n", "row 1"),
        ("id,kind\na,A\na,B\n", "two things of the node 'a'"),
        ("source,type,target,weight\na,b,c,-1\n", "no number above zero"),
        ("source,type,target,weight\na,b,c,nan\n", "no number above zero"),
        ("id,kind\na,A,more\n", "3 cells in row 1"),
        ('id,kind\n"a,A\n', "no CSV"),
        ("id,kind,id\na,A,b\n", "two columns of the same name"),
    ],
)
def test_a_table_with_a_wrong_row_is_refused_whole_and_the_row_named(
    documents: Documents, content: str, reason: str
) -> None:
    with pytest.raises(DocumentRefusedError, match=reason):
        documents.read(content, "table.csv")


def test_the_tables_of_graphrag_meet_in_one_graph(documents: Documents) -> None:
    """Relationships name entities by title; mentions and documents name units by id."""
    entities = documents.table(
        parquet([{"id": "e1", "title": "ADA", "type": "person", "description": "First.", "text_unit_ids": ["u1"]}]),
        "entities.parquet",
    )
    relationships = documents.table(
        parquet(
            [
                {
                    "id": "r1",
                    "source": "ADA",
                    "target": "BOB",
                    "description": "Friends.",
                    "weight": 3.0,
                    "text_unit_ids": ["u1"],
                }
            ]
        ),
        "relationships.parquet",
    )
    units = documents.table(
        parquet([{"id": "u1", "text": "Ada met Bob.", "n_tokens": 4, "document_ids": ["d1"]}]), "text_units.parquet"
    )
    files = documents.table(
        parquet([{"id": "d1", "title": "a.txt", "text": "Ada met Bob.", "text_unit_ids": ["u1"]}]), "documents.parquet"
    )

    assert [(node.id, node.kind) for node in entities.nodes] == [("entity:ADA", "Person"), ("unit:u1", UNKNOWN_KIND)]
    assert edges_of(entities) == [("unit:u1", "mentions", "entity:ADA", 1.0)]
    assert edges_of(relationships) == [("entity:ADA", "related_to", "entity:BOB", 3.0)]
    assert edges_of(units) == edges_of(files) == [("doc:d1", "contains", "unit:u1", 1.0)]


def test_graphrags_reports_are_left_out_with_a_warning(documents: Documents) -> None:
    table = documents.table(
        parquet([{"community": 1, "level": 0, "title": "x", "summary": "y"}]), "community_reports.parquet"
    )

    assert (table.nodes, table.edges) == ((), ())
    assert "left out" in table.warnings[0]
