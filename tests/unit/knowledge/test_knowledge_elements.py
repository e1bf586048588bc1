"""What a document says is checked once, and what the graph shows of several is the same in whatever order they came."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.graph.domain.changes import EdgeKey
from aeterna.graph.domain.identifiers import Label, NodeId
from aeterna.knowledge.domain.contributions import (
    Contribution,
    EdgePart,
    NodePart,
    published_edge,
    published_node,
)
from aeterna.knowledge.domain.documents import DocumentId
from aeterna.knowledge.domain.elements import rows_of, shown_edge, shown_node
from aeterna.knowledge.domain.entries import Entry, record_of
from aeterna.knowledge.errors import DocumentRefusedError

if TYPE_CHECKING:
    import random

A = NodePart(id="a", kind="Thing")
B = NodePart(id="b", kind="Thing")
KEY = EdgeKey(NodeId("a"), Label("next"), NodeId("b"))
AB = EdgePart(key=KEY)
ENTRY = Entry(
    contribution=Contribution(document=DocumentId("one"), digest="d", nodes=(A, B), edges=(AB,)),
    media_type="text/plain",
    title="One",
    text="text",
)
PARTS = st.dictionaries(
    st.sampled_from(["d1", "d2", "d3", "d4"]).map(DocumentId),
    st.tuples(
        st.sampled_from(["Thing", "Term", "Symbol"]),
        st.dictionaries(st.sampled_from(["name", "size", "weight"]), st.integers(0, 3), max_size=3),
        st.floats(0.1, 9),
    ),
    min_size=1,
)


def contribution(
    document: DocumentId, *, nodes: tuple[NodePart, ...] = (A, B), edges: tuple[EdgePart, ...] = (AB,)
) -> Contribution:
    """Return what a document says."""
    return Contribution(document=document, digest="d", nodes=nodes, edges=edges)


@given(parts=PARTS, chance=st.randoms())
def test_a_node_is_shown_as_all_documents_have_it_in_any_order(
    parts: dict[DocumentId, tuple[str, dict[str, int], float]], chance: random.Random
) -> None:
    said = [(id_, NodePart(id="a", kind=kind, properties={**some})) for id_, (kind, some, _) in parts.items()]
    rows = [(id_, rows_of(contribution(id_, nodes=(part,), edges=()))[0][0]) for id_, part in said]
    chance.shuffle(rows)

    assert shown_node(rows) == published_node(said)


@given(parts=PARTS, chance=st.randoms())
def test_an_edge_is_shown_with_the_weight_of_all_documents_in_any_order(
    parts: dict[DocumentId, tuple[str, dict[str, int], float]], chance: random.Random
) -> None:
    said = [(id_, EdgePart(key=KEY, weight=weight, properties={**some})) for id_, (_, some, weight) in parts.items()]
    rows = [(id_, rows_of(contribution(id_, edges=(part,)))[1][0]) for id_, part in said]
    chance.shuffle(rows)

    assert shown_edge(rows) == published_edge(said)


def test_of_more_than_a_node_or_an_edge_can_hold_the_first_documents_is_shown() -> None:
    """Each of them alone would fit, and a slice must not fail for both."""
    large = {id_: {id_: "x" * 40_000} for id_ in ("d1", "d2")}
    nodes = [
        (DocumentId(id_), rows_of(contribution(DocumentId(id_), nodes=(replace(A, properties={**some}), B)))[0][0])
        for id_, some in large.items()
    ]
    edges = [
        (DocumentId(id_), rows_of(contribution(DocumentId(id_), edges=(replace(AB, properties={**some}),)))[1][0])
        for id_, some in large.items()
    ]

    node, edge = shown_node(nodes[::-1]), shown_edge(edges[::-1])

    assert json.loads(node.properties) == large["d1"]
    assert json.loads(edge.properties) == {**large["d1"], "weight": 2.0}


@pytest.mark.parametrize(
    ("nodes", "edges", "reason"),
    [
        ((A,), (AB,), "without its two nodes"),
        ((A, A, B), (AB,), "twice"),
        ((A, B), (AB, replace(AB, weight=2)), "twice"),
        ((A, replace(B, id="x" * 513)), (), "1 to 512 characters"),
        ((A, replace(B, kind="no kind")), (), "must match"),
        ((A, replace(B, properties={"x": "y" * 70_000})), (), "at most 65536"),
        ((A, replace(B, properties={"x": float("nan")})), (), "is not JSON"),
        ((A, B), (replace(AB, weight=0),), "weight"),
        ((A, B), (replace(AB, weight=float("nan")),), "weight"),
        ((A, B), (replace(AB, weight=1e13),), "weight"),
        (tuple(NodePart(id=str(n), kind="Thing") for n in range(250_001)), (), "more than 250000"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_contribution_that_no_graph_takes_is_refused(
    nodes: tuple[NodePart, ...], edges: tuple[EdgePart, ...], reason: str
) -> None:
    with pytest.raises(DocumentRefusedError, match=reason):
        rows_of(contribution(DocumentId("one"), nodes=nodes, edges=edges))


@pytest.mark.parametrize(
    "entry",
    [
        replace(ENTRY, contribution=contribution(DocumentId("x" * 401))),
        replace(ENTRY, contribution=contribution(DocumentId(""))),
        replace(ENTRY, text="nu\0l"),
        replace(ENTRY, title="half \ud83d of a pair"),
        replace(ENTRY, warnings=("nu\0l",)),
    ],
    ids=["a long id", "no id", "NUL in the text", "a surrogate in the title", "NUL in a warning"],
)
def test_an_entry_that_no_database_takes_is_refused(entry: Entry) -> None:
    with pytest.raises(DocumentRefusedError):
        record_of(entry)
