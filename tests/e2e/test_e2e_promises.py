"""What callers are promised, kept by the real services over HTTP and by the fake alike."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest

from aeterna.client import (
    Aeterna,
    DataPart,
    MessageConflictError,
    NodeNotFoundError,
    NoPathError,
    SequenceConflictError,
    Session,
    SessionConflictError,
    SnapshotNotFoundError,
    TextPart,
    ThreadNotFoundError,
    UnknownNodeError,
)
from fixtures.fix_runtime import GRAPH_URL, SECRET, THREADS_URL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.client.testing import FakeRuntime
    from fixtures.fix_live_runtime import LiveRuntime


@pytest.fixture(params=["fake", "live"])
def promised(request: pytest.FixtureRequest, fake: FakeRuntime, tenant: str) -> Iterator[Aeterna]:
    """Return a client of the fake, and one of a real runtime."""
    if request.param == "fake":
        with Aeterna(
            graph_url=GRAPH_URL,
            threads_url=THREADS_URL,
            token=SECRET,
            transport=fake.transport(),
            sleep=lambda _: None,
        ) as client:
            yield client
        return
    live: LiveRuntime = request.getfixturevalue("live")
    with live.client("writer", tenant=tenant) as client:
        yield client


def three_services(aeterna: Aeterna) -> Session:
    with aeterna.graph.session("three-services") as session:
        session.node("svc:checkout", kind="Service", owner="payments", tier=1)
        session.node("svc:ledger", kind="Service")
        session.node("db:ledger", kind="Database")
        session.edge("svc:checkout", "depends_on", "svc:ledger", critical=True)
        session.edge("svc:ledger", "stores_in", "db:ledger")
    return session


def test_a_session_is_one_snapshot(promised: Aeterna) -> None:
    committed = three_services(promised).committed

    assert committed is not None
    assert [snapshot.snapshot_id for snapshot in promised.graph.snapshots()][:1] == [committed.snapshot_id]
    assert (committed.nodes, committed.edges, committed.repeated) == (3, 2, False)


def test_a_node_is_read_as_it_was_written(promised: Aeterna) -> None:
    three_services(promised)

    node = promised.graph.node("svc:checkout").node

    assert (node.kind, dict(node.properties)) == ("Service", {"owner": "payments", "tier": 1})


def test_the_same_session_again_writes_nothing(promised: Aeterna) -> None:
    three_services(promised)
    again = three_services(promised).committed

    assert again is not None
    assert again.repeated
    assert len(promised.graph.snapshots()) == 1


def test_another_session_of_the_same_id_is_refused(promised: Aeterna) -> None:
    three_services(promised)
    other = Session("three-services")
    other.node("svc:other", kind="Service")

    with pytest.raises(SessionConflictError):
        promised.graph.commit(other)


def test_an_edge_to_an_unknown_node_refuses_the_whole_session(promised: Aeterna) -> None:
    three_services(promised)
    session = Session("broken")
    session.node("svc:new", kind="Service")
    session.edge("svc:new", "depends_on", "svc:nobody")

    with pytest.raises(UnknownNodeError):
        promised.graph.commit(session)

    with pytest.raises(NodeNotFoundError):
        promised.graph.node("svc:new")


def test_neighbors_are_found_hop_by_hop(promised: Aeterna) -> None:
    three_services(promised)

    found = promised.graph.neighbors("svc:checkout", depth=2)

    assert {near.node.id: near.depth for near in found.nodes} == {"svc:ledger": 1, "db:ledger": 2}
    assert {(edge.source, edge.type, edge.target) for edge in found.edges} == {
        ("svc:checkout", "depends_on", "svc:ledger"),
        ("svc:ledger", "stores_in", "db:ledger"),
    }


def test_neighbors_are_found_against_the_direction(promised: Aeterna) -> None:
    three_services(promised)

    assert promised.graph.neighbors("db:ledger", depth=2, direction="in").ids == ("svc:ledger", "svc:checkout")


def test_a_shortest_path_is_found(promised: Aeterna) -> None:
    three_services(promised)

    path = promised.graph.shortest_path("svc:checkout", "db:ledger")

    assert (path.nodes, path.hops) == (("svc:checkout", "svc:ledger", "db:ledger"), 2)
    assert [edge.type for edge in path.edges] == ["depends_on", "stores_in"]


def test_no_path_is_told_apart_from_no_node(promised: Aeterna) -> None:
    three_services(promised)

    with pytest.raises(NoPathError):
        promised.graph.shortest_path("db:ledger", "svc:checkout")


def test_an_earlier_snapshot_is_read_by_id_and_by_time(promised: Aeterna) -> None:
    first = three_services(promised).committed
    assert first is not None
    with promised.graph.session("second") as session:
        session.remove_edge("svc:ledger", "stores_in", "db:ledger")
        session.node("svc:ledger", kind="Service", retired=True)

    now = promised.graph.node("svc:ledger").node.properties
    by_id = promised.graph.node("svc:ledger", as_of=first.snapshot_id)
    by_time = promised.graph.neighbors("svc:ledger", as_of=first.committed_at)

    assert (dict(now), dict(by_id.node.properties)) == ({"retired": True}, {})
    assert (by_time.ids, promised.graph.neighbors("svc:ledger").ids) == (("db:ledger",), ())


def test_a_snapshot_that_never_was_is_not_found(promised: Aeterna) -> None:
    three_services(promised)

    with pytest.raises(SnapshotNotFoundError):
        promised.graph.statistics(as_of="12345678901")


def test_statistics_count_what_is_there(promised: Aeterna) -> None:
    three_services(promised)

    counted = promised.graph.statistics()

    assert (counted.nodes, counted.edges) == (3, 2)


@pytest.mark.parametrize("node_id", ["a/b", "a b", "ü?#&", "pypi:x[y]", "100%"])
def test_any_id_can_be_asked_for(promised: Aeterna, node_id: str) -> None:
    with promised.graph.session() as session:
        session.node(node_id, kind="Thing")
        session.node("next", kind="Thing")
        session.edge(node_id, "knows", "next")

    assert promised.graph.node(node_id).node.id == node_id
    assert promised.graph.neighbors(node_id).ids == ("next",)


def test_a_conversation_is_read_in_its_order(promised: Aeterna) -> None:
    thread = promised.threads.open("incident-7")
    thread.append("user", ["What happened?"])
    thread.append("agent", ["Rolled back ledger.", DataPart(data={"version": [1, 4, 2], "done": True})])

    first, second = thread.messages(page=1)

    assert (first.seq, first.role, first.text) == (1, "user", "What happened?")
    assert (second.seq, second.parts) == (
        2,
        (TextPart(text="Rolled back ledger."), DataPart(data={"version": [1, 4, 2], "done": True})),
    )


def test_a_message_appended_twice_is_kept_once(promised: Aeterna) -> None:
    thread = promised.threads.open("t")
    first = thread.append("user", ["once"], message_id="m-1")
    again = thread.append("user", ["once"], message_id="m-1")

    assert (first.seq, again.seq, first.repeated, again.repeated) == (1, 1, False, True)


def test_other_content_under_the_same_message_id_is_refused(promised: Aeterna) -> None:
    thread = promised.threads.open("t")
    thread.append("user", ["a"], message_id="m-1")

    with pytest.raises(MessageConflictError):
        thread.append("user", ["b"], message_id="m-1")


def test_a_writer_that_has_not_seen_the_last_message_is_refused(promised: Aeterna) -> None:
    thread = promised.threads.open("t")
    thread.append("user", ["a"])

    with pytest.raises(SequenceConflictError):
        thread.append("agent", ["b"], expected_seq=0)


def test_a_thread_that_was_never_opened_is_not_found(promised: Aeterna) -> None:
    with pytest.raises(ThreadNotFoundError):
        promised.threads.get("nobody").info()


def test_a_thread_is_resumed_without_knowing_its_title(promised: Aeterna) -> None:
    promised.threads.open("t", title="Incident 7").append("user", ["a"])

    assert promised.threads.open("t").info().last_seq == 1


def test_events_replay_and_go_on(promised: Aeterna) -> None:
    thread = promised.threads.open("t")
    for text in ("a", "b"):
        thread.append("user", [text])
    events = thread.events()
    replayed = [message.seq for message in islice(events, 2)]
    thread.append("agent", ["c"])

    assert (replayed, next(events).text) == ([1, 2], "c")


def test_threads_are_listed(promised: Aeterna) -> None:
    for name in ("one", "two", "three"):
        promised.threads.open(name)

    assert {thread.thread_id for thread in promised.threads.list(page=2)} == {"one", "two", "three"}
