"""What everybody who gives the topologies of tenants keeps to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from aeterna.graph.domain.changes import edge_of, node_of, session_of
from aeterna.graph.domain.identifiers import TenantId
from aeterna.graph.testing import MemoryGraphStores
from aeterna.knowledge.adapters.graph_topologies import OpenTopologies
from aeterna.knowledge.testing.topologies import InMemoryTopologies
from fixtures.fix_graph import GraphBench

if TYPE_CHECKING:
    from aeterna.knowledge.ports import Topologies

ACME: Final = TenantId("acme")
GLOBEX: Final = TenantId("globex")


@pytest.fixture(params=["fake", "graphs"])
def told(request: pytest.FixtureRequest) -> tuple[Topologies, int, int]:
    """Return topologies of a graph with two states and of another tenant's, and the seqs of the two."""
    graphs = GraphBench(stores=MemoryGraphStores()).graphs()
    pair = [node_of(id_, "T") for id_ in "ab"]
    first = graphs.of(ACME).commit(session_of("1", subject="ada", nodes=pair))
    second = graphs.of(ACME).commit(session_of("2", subject="ada", edges=[edge_of("a", "t", "b", {"weight": 2})]))
    graphs.of(GLOBEX).commit(session_of("1", subject="bob", nodes=[node_of("other", "T")]))
    opened = OpenTopologies(graphs)
    if request.param == "graphs":
        return opened, first.seq, second.seq
    fake = InMemoryTopologies()
    for tenant in (ACME, GLOBEX):
        for seq in range(1, opened.now(tenant)[0] + 1):
            state = opened.then(tenant, seq)
            if state is not None:
                fake.states.setdefault(tenant, {})[seq] = state
    return fake, first.seq, second.seq


def test_now_is_the_newest_state_of_the_tenant(told: tuple[Topologies, int, int]) -> None:
    topologies, _, second = told

    seq, topology = topologies.now(ACME)

    assert (seq, topology.ids, topology.weights.tolist()) == (second, ("a", "b"), [2.0])
    assert topologies.now(GLOBEX)[1].ids == ("other",)


def test_then_is_the_state_as_of_a_seq(told: tuple[Topologies, int, int]) -> None:
    topologies, first, _ = told

    topology = topologies.then(ACME, first)

    assert topology is not None
    assert (topology.ids, topology.weights.tolist()) == (("a", "b"), [])


def test_a_state_that_cannot_be_read_is_none(told: tuple[Topologies, int, int]) -> None:
    topologies, _, second = told

    assert topologies.then(ACME, second + 7) is None
