"""The graph through the client: sessions, reads, time travel and read-your-writes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from aeterna.client import (
    Aeterna,
    Edge,
    InvalidArgumentError,
    Node,
    NodeNotFoundError,
    NoPathError,
    Session,
    SessionConflictError,
    UnknownNodeError,
)

if TYPE_CHECKING:
    from aeterna.client.testing import FakeRuntime


def checkout_depends_on_ledger(aeterna: Aeterna) -> None:
    with aeterna.graph.session("ingest-42") as session:
        session.node("svc:checkout", kind="Service", owner="payments")
        session.node("svc:ledger", kind="Service")
        session.edge("svc:checkout", "depends_on", "svc:ledger")


def test_a_session_is_one_snapshot(aeterna: Aeterna, fake: FakeRuntime) -> None:
    checkout_depends_on_ledger(aeterna)

    assert [len(state.nodes) for state in fake.states] == [2]


def test_a_session_tells_what_it_committed(aeterna: Aeterna) -> None:
    with aeterna.graph.session("s") as session:
        session.node("a", kind="Thing")

    assert session.committed is not None
    assert (session.committed.nodes, session.committed.edges, session.committed.repeated) == (1, 0, False)


def test_a_session_whose_block_fails_writes_nothing(aeterna: Aeterna, fake: FakeRuntime) -> None:
    with pytest.raises(ZeroDivisionError), aeterna.graph.session("s") as session:
        session.node("a", kind="Thing", share=1 / 0)

    assert fake.requests == []


def test_an_empty_session_is_not_sent(aeterna: Aeterna, fake: FakeRuntime) -> None:
    with aeterna.graph.session("s") as session:
        pass

    assert (session.committed, fake.requests) == (None, [])


def test_the_same_session_again_is_recognised(aeterna: Aeterna, fake: FakeRuntime) -> None:
    checkout_depends_on_ledger(aeterna)
    checkout_depends_on_ledger(aeterna)

    assert len(fake.states) == 1


def test_another_session_of_the_same_id_is_refused(aeterna: Aeterna) -> None:
    checkout_depends_on_ledger(aeterna)

    with pytest.raises(SessionConflictError), aeterna.graph.session("ingest-42") as session:
        session.node("other", kind="Thing")


def test_an_edge_to_an_unknown_node_is_refused_whole(aeterna: Aeterna, fake: FakeRuntime) -> None:
    session = Session("s")
    session.node("a", kind="Thing")
    session.edge("a", "knows", "nobody")

    with pytest.raises(UnknownNodeError):
        aeterna.graph.commit(session)

    assert fake.states == []


def test_the_last_word_of_a_session_counts(aeterna: Aeterna, fake: FakeRuntime) -> None:
    with aeterna.graph.session() as session:
        session.node("a", kind="Draft")
        session.node("b", kind="Thing")
        session.node("a", kind="Thing")
        session.remove_node("b")

    assert {node_id: node["kind"] for node_id, node in fake.states[-1].nodes.items()} == {"a": "Thing"}


def test_properties_may_be_named_as_the_fields_are(aeterna: Aeterna) -> None:
    """A property called ``kind`` cannot be a keyword; `Session.write` takes it."""
    with aeterna.graph.session() as session:
        session.write(Node(id="a", kind="Thing", properties={"kind": "inner", "id": 7}))

    assert aeterna.graph.node("a").node.properties == {"kind": "inner", "id": 7}


def test_neighbors_are_found_as_deep_as_asked(aeterna: Aeterna) -> None:
    checkout_depends_on_ledger(aeterna)

    found = aeterna.graph.neighbors("svc:checkout", depth=2)

    assert found.ids == ("svc:ledger",)
    assert found.edges == (Edge(source="svc:checkout", type="depends_on", target="svc:ledger"),)


def test_a_shortest_path_goes_from_the_source_to_the_target(aeterna: Aeterna) -> None:
    checkout_depends_on_ledger(aeterna)

    assert aeterna.graph.shortest_path("svc:checkout", "svc:ledger").nodes == ("svc:checkout", "svc:ledger")


def test_no_path_is_an_error_of_its_own(aeterna: Aeterna) -> None:
    checkout_depends_on_ledger(aeterna)

    with pytest.raises(NoPathError):
        aeterna.graph.shortest_path("svc:ledger", "svc:checkout")


@pytest.mark.parametrize("spelling", ["id", "number", "time", "text"])
def test_an_earlier_snapshot_can_be_read(aeterna: Aeterna, fake: FakeRuntime, spelling: str) -> None:
    with aeterna.graph.session() as session:
        session.node("a", kind="Thing")
    checkout_depends_on_ledger(aeterna)
    first = fake.states[0]
    as_of = {
        "id": first.snapshot_id,
        "number": int(first.snapshot_id),
        "time": first.committed_at,
        "text": first.committed_at.isoformat(),
    }[spelling]

    with pytest.raises(NodeNotFoundError):
        aeterna.graph.node("svc:checkout", as_of=as_of)


def test_a_time_without_a_zone_is_refused_before_it_is_sent(aeterna: Aeterna, fake: FakeRuntime) -> None:
    naive = datetime.now(UTC).replace(tzinfo=None)

    with pytest.raises(InvalidArgumentError, match="time zone"):
        aeterna.graph.statistics(as_of=naive)

    assert fake.requests == []


def test_reads_ask_to_see_what_this_client_wrote(aeterna: Aeterna, fake: FakeRuntime) -> None:
    checkout_depends_on_ledger(aeterna)
    aeterna.graph.statistics()

    assert fake.requests[-1].headers["Aeterna-Seq"] == str(len(fake.states))


def test_a_repeated_session_does_not_make_reads_forget_newer_ones(aeterna: Aeterna, fake: FakeRuntime) -> None:
    for session_id in ("old", "new", "old"):
        with aeterna.graph.session(session_id) as session:
            session.node(session_id, kind="Thing")
    aeterna.graph.statistics()

    assert fake.requests[-1].headers["Aeterna-Seq"] == "2"


def test_reads_of_the_past_do_not_wait_for_the_present(aeterna: Aeterna, fake: FakeRuntime) -> None:
    checkout_depends_on_ledger(aeterna)
    aeterna.graph.statistics(as_of=fake.states[0].snapshot_id)

    assert "Aeterna-Seq" not in fake.requests[-1].headers


@pytest.mark.parametrize("node_id", ["a/b", "a b", "ü?#", "..", "%2F"])
def test_any_id_survives_the_address(aeterna: Aeterna, node_id: str) -> None:
    with aeterna.graph.session() as session:
        session.node(node_id, kind="Thing")

    assert aeterna.graph.node(node_id).node.id == node_id


def test_snapshots_come_newest_first(aeterna: Aeterna, fake: FakeRuntime) -> None:
    checkout_depends_on_ledger(aeterna)
    with aeterna.graph.session() as session:
        session.node("later", kind="Thing")

    listed = [snapshot.snapshot_id for snapshot in aeterna.graph.snapshots()]

    assert listed == [state.snapshot_id for state in reversed(fake.states)]


@pytest.mark.parametrize(
    ("node_id", "kind", "named"), [("", "Thing", "node id"), ("a", "", "node kind")], ids=["no id", "no kind"]
)
def test_an_empty_name_is_refused_before_it_is_sent(node_id: str, kind: str, named: str, aeterna: Aeterna) -> None:
    with pytest.raises(InvalidArgumentError, match=named), aeterna.graph.session() as session:
        session.node(node_id, kind=kind)
