"""What erasing means, whatever keeps the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from aeterna.graph.domain.changes import edge_of, node_of, session_of
from aeterna.graph.domain.erasure import Target
from aeterna.graph.domain.identifiers import NodeId
from aeterna.graph.domain.snapshots import AtSeq
from aeterna.graph.errors import (
    ErasureNotFoundError,
    HoldNotFoundError,
    InvalidErasureError,
    LegalHoldError,
    NodeNotFoundError,
    SessionConflictError,
    SnapshotNotFoundError,
)
from fixtures.fix_graph import ACME, GraphBench

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aeterna.graph.domain.changes import Edge, Node
    from aeterna.graph.domain.snapshots import Receipt
    from aeterna.graph.usecases.graphs import Graph

EVE = Target(subject="eve")
TEXT = {"text": "mine"}


@pytest.fixture(params=["memory_bench", "iceberg_bench"])
def bench(request: pytest.FixtureRequest) -> GraphBench:
    return request.getfixturevalue(request.param)


@pytest.fixture
def graph(bench: GraphBench) -> Graph:
    return bench.graphs().of(ACME)


def _write(
    graph: Graph, subject: str, *nodes: Node, edges: Iterable[Edge] = (), removed: Iterable[str] = (), id_: str = ""
) -> Receipt:
    session = session_of(
        id_ or str(uuid4()), subject=subject, nodes=nodes, edges=edges, removed_nodes=[NodeId(each) for each in removed]
    )
    return graph.commit(session)


def _nodes(graph: Graph, *ids: str, as_of: Receipt | None = None) -> dict[str, str]:
    """Return the properties of those of the ids that are nodes."""
    found: dict[str, str] = {}
    for id_ in ids:
        try:
            found[id_] = graph.node(NodeId(id_), as_of=as_of.snapshot_id if as_of else None).properties
        except NodeNotFoundError:
            continue
    return found


def test_what_was_ordered_to_go_is_hidden_from_every_read_at_once(graph: Graph) -> None:
    _write(graph, "ada", node_of("a", "T"))
    before = _write(graph, "eve", node_of("e", "T", TEXT), edges=[edge_of("e", "of", "a")])
    assert _nodes(graph, "a", "e", as_of=before).keys() == {"a", "e"}

    graph.erasures.order(EVE, by="root")

    assert _nodes(graph, "a", "e").keys() == {"a"}
    assert _nodes(graph, "a", "e", as_of=before).keys() == {"a"}
    assert graph.statistics(as_of=before.committed_at).edges == 0


def test_the_job_changes_nothing_that_reads_show(bench: GraphBench, graph: Graph) -> None:
    _write(graph, "ada", node_of("a", "T"), node_of("b", "T", TEXT), edges=[edge_of("a", "of", "b")])
    _write(graph, "eve", node_of("b", "T", {"text": "eve's"}), node_of("e", "T"), edges=[edge_of("e", "of", "a")])
    graph.erasures.order(EVE, by="root")
    hidden = graph.statistics()

    graph.erasures.run()

    shown = [graph.statistics(), bench.graphs().of(ACME).statistics()]
    assert [(each.nodes, each.edges) for each in shown] == [(hidden.nodes, hidden.edges)] * 2
    assert _nodes(graph, "a", "b", "e").keys() == {"a"}


def test_earlier_snapshots_cannot_be_read_afterwards(graph: Graph) -> None:
    _write(graph, "ada", node_of("a", "T"))
    before = _write(graph, "eve", node_of("e", "T"))
    graph.erasures.order(EVE, by="root")

    graph.erasures.run()

    with pytest.raises(SnapshotNotFoundError):
        graph.statistics(as_of=before.snapshot_id)


def test_what_the_subject_had_replaced_or_removed_does_not_come_back(bench: GraphBench, graph: Graph) -> None:
    _write(graph, "ada", node_of("replaced", "T", {"text": "ada's"}), node_of("removed", "T"), node_of("kept", "T"))
    _write(graph, "eve", node_of("replaced", "T", {"text": "eve's"}), removed=["removed"])
    graph.erasures.order(EVE, by="root")

    graph.erasures.run()

    assert _nodes(bench.graphs().of(ACME), "replaced", "removed", "kept").keys() == {"kept"}


def test_what_others_made_of_it_stays(bench: GraphBench, graph: Graph) -> None:
    _write(graph, "eve", node_of("n", "T", {"text": "eve's"}))
    _write(graph, "ada", node_of("n", "T", {"text": "ada's"}))
    graph.erasures.order(EVE, by="root")

    graph.erasures.run()

    assert _nodes(bench.graphs().of(ACME), "n") == {"n": '{"text":"ada\'s"}'}


def test_what_is_committed_after_the_order_is_not_part_of_it(bench: GraphBench, graph: Graph) -> None:
    _write(graph, "eve", node_of("e", "T", {"text": "before"}))
    graph.erasures.order(EVE, by="root")
    _write(graph, "eve", node_of("e", "T", {"text": "after"}))
    _write(graph, "ada", node_of("a", "T"), edges=[edge_of("a", "of", "e")])

    graph.erasures.run()

    shown = bench.graphs().of(ACME)
    assert _nodes(shown, "a", "e") == {"a": "{}", "e": '{"text":"after"}'}
    assert shown.statistics().edges == 1


def test_named_nodes_go_with_their_edges_whoever_wrote_them(bench: GraphBench, graph: Graph) -> None:
    _write(graph, "ada", node_of("a", "T"), node_of("patient", "T", TEXT), edges=[edge_of("a", "treats", "patient")])

    graph.erasures.order(Target(nodes=frozenset({NodeId("patient")})), by="root")
    graph.erasures.run()

    shown = bench.graphs().of(ACME)
    assert _nodes(shown, "a", "patient").keys() == {"a"}
    assert shown.statistics().edges == 0
    assert graph.erasures.erasures()[0].removed is not None


def test_a_tenant_is_empty_after_its_erasure_and_its_seq_goes_on(bench: GraphBench, graph: Graph) -> None:
    _write(graph, "ada", node_of("a", "T"))
    ordered = graph.erasures.order(Target(tenant=True), by="root")

    graph.erasures.run()

    shown = bench.graphs().of(ACME)
    assert shown.statistics().nodes == 0
    assert _write(shown, "ada", node_of("a", "T")).seq > ordered.seq
    assert shown.erasures.erasure(ordered.id).state == "done"


def test_a_replica_that_was_open_meanwhile_shows_the_same(bench: GraphBench, graph: Graph) -> None:
    _write(graph, "ada", node_of("a", "T"))
    _write(graph, "eve", node_of("e", "T"))
    other = bench.graphs().of(ACME)
    assert other.statistics().nodes == 2
    graph.erasures.order(EVE, by="root")

    graph.erasures.run()

    seq = _write(graph, "ada", node_of("b", "T")).seq
    assert other.statistics(at_least=seq).nodes == 2
    assert _nodes(other, "a", "b", "e").keys() == {"a", "b"}


def test_the_same_order_again_is_the_same_erasure(graph: Graph) -> None:
    _write(graph, "eve", node_of("e", "T"))
    id_ = str(uuid4())
    first = graph.erasures.order(EVE, by="root", id_=id_)
    graph.erasures.run()

    again = graph.erasures.order(EVE, by="root", id_=id_)

    assert (again.id, again.seq, again.state) == (first.id, first.seq, "done")
    with pytest.raises(InvalidErasureError):
        graph.erasures.order(Target(subject="ada"), by="root", id_=id_)


def test_a_certificate_tells_what_went_and_names_nobody(graph: Graph) -> None:
    _write(graph, "ada", node_of("a", "T"))
    _write(graph, "eve", node_of("e", "T"), edges=[edge_of("e", "of", "a")])
    id_ = graph.erasures.order(EVE, by="root").id

    graph.erasures.run()

    certificate = graph.erasures.erasure(id_)
    assert certificate.target is None
    assert "eve" not in certificate.record()
    assert certificate.removed is not None
    # The node and the edge, the removals that hid them, and the session.
    assert certificate.removed.rows == {"edge": 2, "node": 2, "session": 1}


def test_a_verification_asks_for_the_name_that_the_certificate_forgot(graph: Graph) -> None:
    _write(graph, "eve", node_of("e", "T"))
    id_ = graph.erasures.order(EVE, by="root").id
    assert not graph.erasures.verify(id_).clean
    graph.erasures.run()

    assert graph.erasures.verify(id_, EVE).clean
    for wrong in (None, Target(subject="ada"), Target(subject="eve", nodes=frozenset({NodeId("e")}))):
        with pytest.raises(InvalidErasureError):
            graph.erasures.verify(id_, wrong)


def test_sessions_of_the_subject_are_forgotten_and_others_that_lost_rows_cannot_be_repeated(graph: Graph) -> None:
    """The fingerprint of a session would confirm a guess of what it had said."""
    _write(graph, "ada", node_of("a", "T"), node_of("patient", "T"), id_="ada's")
    _write(graph, "eve", node_of("e", "T"), id_="eve's")
    graph.erasures.order(Target(subject="eve", nodes=frozenset({NodeId("patient")})), by="root")
    graph.erasures.run()

    assert not _write(graph, "eve", node_of("e", "T"), id_="eve's").repeated
    with pytest.raises(SessionConflictError):
        _write(graph, "ada", node_of("a", "T"), node_of("patient", "T"), id_="ada's")


@pytest.mark.parametrize("held", ["eve", None], ids=["of the subject", "of the tenant"])
@pytest.mark.parametrize("target", [EVE, Target(tenant=True)], ids=["a subject", "the tenant"])
def test_a_hold_forbids_to_erase_until_it_is_released(graph: Graph, held: str | None, target: Target) -> None:
    _write(graph, "eve", node_of("e", "T"))
    graph.erasures.hold("case-7", subject=held, reason="discovery", by="counsel")
    with pytest.raises(LegalHoldError, match="case-7"):
        graph.erasures.order(target, by="root")
    assert _nodes(graph, "e").keys() == {"e"}

    graph.erasures.release("case-7", by="counsel")

    assert graph.erasures.order(target, by="root").state == "pending"


def test_a_hold_on_one_subject_forbids_to_erase_their_rows_by_the_name_of_a_node(graph: Graph) -> None:
    _write(graph, "eve", node_of("e", "T"))
    graph.erasures.hold("case-7", subject="eve", reason="discovery", by="counsel")

    with pytest.raises(LegalHoldError):
        graph.erasures.order(Target(nodes=frozenset({NodeId("e")})), by="root")
    with pytest.raises(ErasureNotFoundError):
        graph.erasures.erasure("none")


def test_a_hold_that_comes_late_stops_the_job_and_leaves_it_hidden(graph: Graph) -> None:
    _write(graph, "eve", node_of("e", "T"))
    id_ = graph.erasures.order(EVE, by="root").id
    graph.erasures.hold("case-7", subject="eve", reason="discovery", by="counsel")

    assert graph.erasures.run() == ()

    assert graph.erasures.erasure(id_).state == "pending"
    assert _nodes(graph, "e") == {}
    graph.erasures.release("case-7", by="counsel")
    assert [erasure.state for erasure in graph.erasures.run()] == ["done"]


def test_holds_outlive_erasures_of_others_and_of_who_placed_them(bench: GraphBench, graph: Graph) -> None:
    _write(graph, "eve", node_of("e", "T"))
    graph.erasures.hold("case-7", subject="ada", reason="discovery", by="eve")
    graph.erasures.order(EVE, by="root")

    graph.erasures.run()

    (hold,) = bench.graphs().of(ACME).erasures.holds()
    assert (hold.id, hold.subject, hold.by) == ("case-7", "ada", "erased")


def test_releasing_a_hold_that_is_not_there_is_refused(graph: Graph) -> None:
    with pytest.raises(HoldNotFoundError):
        graph.erasures.release("case-7", by="counsel")


def test_two_erasures_are_done_in_their_order(bench: GraphBench, graph: Graph) -> None:
    _write(graph, "eve", node_of("e", "T"))
    _write(graph, "bob", node_of("b", "T"), edges=[edge_of("b", "of", "e")])
    _write(graph, "ada", node_of("a", "T"))
    first = graph.erasures.order(EVE, by="root")
    second = graph.erasures.order(Target(subject="bob"), by="root")

    done = graph.erasures.run()

    assert [erasure.id for erasure in done] == [first.id, second.id]
    assert _nodes(bench.graphs().of(ACME), "a", "b", "e").keys() == {"a"}


def test_what_somebody_restored_is_still_the_subjects(bench: GraphBench, graph: Graph) -> None:
    _write(graph, "ada", node_of("a", "T"))
    before = _write(graph, "eve", node_of("e", "T", TEXT))
    _write(graph, "ada", removed=["a", "e"])
    graph.history.restoring.restore(AtSeq(before.seq), session_id=None, subject="ada")
    assert _nodes(graph, "a", "e").keys() == {"a", "e"}

    graph.erasures.order(EVE, by="root")
    graph.erasures.run()

    assert _nodes(bench.graphs().of(ACME), "a", "e").keys() == {"a"}


def test_a_restore_does_not_bring_back_what_is_being_erased(graph: Graph) -> None:
    before = _write(graph, "eve", node_of("e", "T", TEXT))
    _write(graph, "ada", node_of("a", "T"))
    graph.erasures.order(EVE, by="root")

    graph.history.restoring.restore(AtSeq(before.seq), session_id=None, subject="ada")

    assert _nodes(graph, "a", "e") == {}
