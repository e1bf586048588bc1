"""A piece of the graph within a budget: what is nearest stays, and what stays is whole."""

from __future__ import annotations

import json

import pytest

from aeterna.graph.domain.changes import edge_of
from aeterna.graph.domain.identifiers import Json, Label, NodeId
from aeterna.graph.domain.queries import NeighborFound
from aeterna.graph.domain.questions.pages import subgraph_within
from aeterna.graph.domain.questions.subgraphs import Subgraph
from aeterna.graph.errors import AnswerTooLargeError

NODE_BYTES, EDGE_BYTES = len("n0") + 100, len("n0tn1") + len("{}")


def chain(length: int) -> Subgraph:
    """Return nodes in a row, the first of them being the seed, and the edges between neighbours."""
    text = Json(json.dumps({"t": "x" * 92}, separators=(",", ":")))
    nodes = [NeighborFound(id=NodeId(f"n{i}"), kind=Label("K"), properties=text, depth=i) for i in range(length)]
    edges = [edge_of(f"n{i}", "t", f"n{i + 1}") for i in range(length - 1)]
    return Subgraph(snapshot_id=None, seq=1, nodes=tuple(nodes), edges=tuple(edges), more_nodes=False, more_edges=False)


def test_what_fits_is_left_alone() -> None:
    whole = chain(3)

    assert subgraph_within(whole, 3 * NODE_BYTES + 2 * EDGE_BYTES) == whole


def test_the_farthest_nodes_go_first_and_their_edges_with_them() -> None:
    cut = subgraph_within(chain(5), 3 * NODE_BYTES + 2 * EDGE_BYTES)

    assert [node.id for node in cut.nodes] == ["n0", "n1", "n2"]
    assert [edge.key.target for edge in cut.edges] == ["n1", "n2"]
    assert (cut.more_nodes, cut.more_edges) == (True, False)


def test_edges_that_do_not_fit_beside_the_nodes_are_said_to_be_missing() -> None:
    cut = subgraph_within(chain(3), 3 * NODE_BYTES + EDGE_BYTES)

    assert len(cut.nodes) == 3
    assert [edge.key.target for edge in cut.edges] == ["n1"]
    assert (cut.more_nodes, cut.more_edges) == (False, True)


def test_one_node_that_is_too_much_is_refused() -> None:
    with pytest.raises(AnswerTooLargeError, match="larger budget"):
        subgraph_within(chain(1), NODE_BYTES - 1)


def test_nothing_fits_into_anything() -> None:
    assert subgraph_within(chain(0), 0) == chain(0)
