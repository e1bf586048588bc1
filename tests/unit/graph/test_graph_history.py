"""A graph's history: what differs between two moments, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.changes import edge_key_of, edge_of, node_of, removed_node_of, session_of
from aeterna.graph.domain.diffs import diff_query
from aeterna.graph.domain.identifiers import NodeId, TagName
from aeterna.graph.domain.snapshots import AtSeq
from aeterna.graph.domain.states import delta
from aeterna.graph.domain.upkeep import CompactionPolicy, RetentionPolicy
from aeterna.graph.errors import (
    InvalidQueryError,
    SessionConflictError,
)
from aeterna.graph.ports import CommitTrace
from aeterna.graph.testing import MemoryGraphStores
from aeterna.graph.usecases.compacting import compact
from aeterna.graph.usecases.comparing import states
from aeterna.graph.usecases.upkeep import unwatched
from fixtures.fix_graph import ACME, START, GraphBench

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.graph.domain.changes import Session
    from aeterna.graph.domain.diffs import Diff
    from aeterna.graph.usecases.graphs import Graph


def _session(id_: str, *things: str, removed: tuple[str, ...] = (), edges: tuple[str, ...] = ()) -> Session:
    """Write nodes as ``name=value`` and edges as ``a>b``."""
    nodes = [thing.partition("=") for thing in things]
    return session_of(
        id_,
        subject="ada",
        nodes=[node_of(name, "Thing", {"v": value}) for name, _, value in nodes],
        edges=[edge_of(*_ends(edge)) for edge in edges],
        removed_nodes=[removed_node_of(node) for node in removed],
    )


def _ends(edge: str) -> tuple[str, str, str]:
    source, _, target = edge.partition(">")
    return source, "KNOWS", target


def _told(diff: Diff) -> list[tuple[str, str]]:
    nodes = [(each.change, (each.after or each.before).id) for each in diff.nodes]  # pyright: ignore[reportOptionalMemberAccess] - one side is there
    edges = [(each.change, ">".join((each.after or each.before).key)) for each in diff.edges]  # pyright: ignore[reportOptionalMemberAccess] - as above
    return [*nodes, *edges]


def _compacted(bench: GraphBench) -> None:
    """Merge everything and forget every removal, as a maintenance of another process."""
    compact(
        bench.stores.upkeep(ACME).compactor,
        CompactionPolicy(forget_after=timedelta(0)),
        bench.engine().world,
        trace=CommitTrace(),
        watch=unwatched,
        full=True,
    )


def _grown(bench: GraphBench) -> Graph:
    graph = bench.graphs().of(ACME)
    graph.commit(_session("a", "n:1=1", "n:2=1", "n:3=1", edges=("n:1>n:2", "n:2>n:3")))
    graph.history.tags.create(TagName("before"))
    graph.commit(_session("b", "n:1=2", "n:4=1", removed=("n:2",), edges=("n:1>n:4",)))
    return graph


CHANGED = [
    ("changed", "n:1"),
    ("removed", "n:2"),
    ("added", "n:4"),
    ("removed", "n:1>KNOWS>n:2"),
    ("added", "n:1>KNOWS>n:4"),
    ("removed", "n:2>KNOWS>n:3"),
]


def test_a_diff_says_what_was_added_changed_and_removed(iceberg_bench: GraphBench) -> None:
    graph = _grown(iceberg_bench)

    page, following = graph.history.comparing.diff(diff_query(TagName("before")))

    assert (_told(page), following) == (CHANGED, None)
    assert (page.node_counts.total, page.edge_counts.total) == (3, 3)


def test_a_diff_is_the_same_when_removals_were_forgotten_since(iceberg_bench: GraphBench) -> None:
    """A compaction merges states and drops removals; then both states are compared."""
    graph = _grown(iceberg_bench)
    _compacted(iceberg_bench)
    graph.refresh()

    page, _ = graph.history.comparing.diff(diff_query(TagName("before")))

    assert page.end.floor > page.start.last_seq
    assert _told(page) == CHANGED


def test_a_diff_backwards_says_the_opposite(memory_bench: GraphBench) -> None:
    graph = _grown(memory_bench)

    page, _ = graph.history.comparing.diff(diff_query(graph.snapshots(1)[0].id, TagName("before")))

    opposite = {"added": "removed", "removed": "added", "changed": "changed"}
    assert _told(page) == [(opposite[change], thing) for change, thing in CHANGED]


def test_pages_of_a_diff_hold_everything_once(memory_bench: GraphBench) -> None:
    graph, told, cursor = _grown(memory_bench), list[tuple[str, str]](), None
    query = diff_query(TagName("before"), limit=2)

    for _ in range(3):
        page, cursor = graph.history.comparing.diff(query, cursor=cursor)
        told += _told(page)

    assert (told, cursor) == (CHANGED, None)


def test_a_diff_can_be_narrowed(memory_bench: GraphBench) -> None:
    graph = _grown(memory_bench)
    query = diff_query(TagName("before"), kinds=["Other"], types=["KNOWS"], limit=2)

    page, _ = graph.history.comparing.diff(query)

    assert (page.node_counts.total, page.edge_counts.total, len(page.edges)) == (0, 3, 2)


def test_a_cursor_of_another_diff_is_refused(memory_bench: GraphBench) -> None:
    graph = _grown(memory_bench)
    _, cursor = graph.history.comparing.diff(diff_query(TagName("before"), limit=1))

    for other in (diff_query(TagName("before"), types=["KNOWS"]), diff_query(START)):
        with pytest.raises(InvalidQueryError):
            graph.history.comparing.diff(other, cursor=cursor)


STEPS = st.lists(
    st.tuples(
        st.sets(st.integers(0, 4), max_size=3),  # nodes to write
        st.sets(st.integers(0, 4), max_size=2),  # nodes to remove
        st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=3),  # edges to write where they may be
        st.integers(0, 2),  # the value of everything
    ),
    min_size=1,
    max_size=6,
)


def _played(graph: Graph, steps: list[Any]) -> list[dict[str, str]]:
    """Commit a session for each step, and return what there is after each, by the definition."""
    model: list[dict[str, str]] = []
    things: dict[str, str] = {}
    for number, (written, removed, edges, value) in enumerate(steps):
        gone = removed - written
        present = ({int(name[2:]) for name in things if ">" not in name} | written) - gone
        wanted = {edge for edge in edges if set(edge) <= present}
        graph.commit(
            session_of(
                f"s{number}",
                subject="ada",
                nodes=[
                    node_of("n:99", "Clock", {"v": number}),
                    *(node_of(f"n:{n}", "Thing", {"v": value}) for n in written),
                ],
                edges=[edge_of(f"n:{a}", "T", f"n:{b}", {"v": value}) for a, b in wanted],
                removed_nodes=[removed_node_of(f"n:{n}") for n in gone],
            )
        )
        things = {name: text for name, text in things.items() if not {f"n:{n}" for n in gone} & set(name.split(">"))}
        things |= {"n:99": f'{{"v":{number}}}'}
        things |= {f"n:{n}": f'{{"v":{value}}}' for n in written}
        things |= {f"n:{a}>n:{b}": f'{{"v":{value}}}' for a, b in wanted}
        model.append(dict(things))
    return model


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, data=st.data())
def test_both_ways_of_comparing_agree_with_the_definition(steps: list[Any], data: st.DataObject) -> None:
    bench = GraphBench(stores=MemoryGraphStores())
    graph = bench.graphs().of(ACME)
    model = _played(graph, steps)
    snapshots = graph.snapshots(100)[::-1]
    older = data.draw(st.integers(0, len(steps) - 1))
    newer = data.draw(st.integers(older, len(steps) - 1))
    store = bench.stores.open(ACME)

    for way in ("rows", "states"):
        before, after = states(store, snapshots[older], snapshots[newer], {}, check=lambda: None, way=way)
        found = delta(before, after)
        told = {
            **{
                row["id"]: (row["properties_before"], row["properties_after"])
                for row in untyped(found.nodes).to_pylist()
            },
            **{
                f"{row['source']}>{row['target']}": (row["properties_before"], row["properties_after"])
                for row in untyped(found.edges).to_pylist()
            },
        }
        then, now = model[older], model[newer]
        assert told == {
            name: (then.get(name), now.get(name))
            for name in then.keys() | now.keys()
            if then.get(name) != now.get(name)
        }


def test_the_same_tag_again_is_the_same_though_a_compaction_came_between(iceberg_bench: GraphBench) -> None:
    """Who got no answer asks again: a compaction makes another snapshot, and not another moment."""
    graph = iceberg_bench.graphs().of(ACME)
    graph.commit(_session("a", "n:1=1"))
    made = graph.history.tags.create(TagName("kept"), as_of=AtSeq(1))[0]
    _compacted(iceberg_bench)
    graph.refresh()

    assert graph.history.tags.create(TagName("kept"), as_of=AtSeq(1)) == (made, False)


OF_THE_PAST: dict[str, Callable[[Graph], object]] = {
    "a state": lambda graph: graph.node(NodeId("n:2"), as_of=AtSeq(1)),
    "a difference": lambda graph: graph.history.comparing.diff(diff_query(AtSeq(1))),
    "a restore": lambda graph: graph.history.restoring.plan(AtSeq(1)),
}


@pytest.mark.parametrize("ask", OF_THE_PAST.values(), ids=OF_THE_PAST)
def test_a_moment_whose_snapshot_expired_since_the_last_look_is_there(
    iceberg_bench: GraphBench, ask: Callable[[Graph], object]
) -> None:
    """Moments are in the rows: what another process does to snapshots takes none away."""
    graph = iceberg_bench.graphs().of(ACME)
    for session in (_session("a", "n:1=1", "n:2=1"), _session("b", "n:1=2"), _session("c", "n:1=3")):
        graph.commit(session)
    expirer = iceberg_bench.stores.upkeep(ACME).expirer
    expirer.expire(RetentionPolicy(keep_least=1, keep_most=1), now=datetime.now(UTC) + timedelta(days=7), dry_run=False)

    assert ask(graph)


def test_a_restore_is_a_new_session_and_the_history_stays(iceberg_bench: GraphBench) -> None:
    graph = _grown(iceberg_bench)

    done = graph.history.restoring.restore(TagName("before"), session_id="back", subject="root")

    assert done.receipt is not None
    assert (done.receipt.seq, done.receipt.repeated) == (3, False)
    assert graph.history.comparing.diff(diff_query(TagName("before")))[0].node_counts.total == 0
    assert graph.node(NodeId("n:1")).properties == '{"v":"1"}'
    assert [snapshot.last_seq for snapshot in graph.snapshots(10)] == [3, 2, 1]
    # Every edge has its ends again: the next session may build on them.
    graph.commit(session_of("c", subject="ada", edges=[edge_of("n:2", "KNOWS", "n:1")]))


def test_a_restore_past_forgotten_removals_is_exact_too(iceberg_bench: GraphBench) -> None:
    graph = _grown(iceberg_bench)
    _compacted(iceberg_bench)
    graph.refresh()

    graph.history.restoring.restore(TagName("before"), session_id="back", subject="root")

    assert _told(graph.history.comparing.diff(diff_query(TagName("before")))[0]) == []


def test_a_repeated_restore_writes_nothing_and_has_the_same_receipt(memory_bench: GraphBench) -> None:
    """Also when the tag is gone, and when another process is asked."""
    graph = _grown(memory_bench)
    first = graph.history.restoring.restore(TagName("before"), session_id="back", subject="root").receipt
    graph.history.tags.delete(TagName("before"))

    again = memory_bench.graphs().of(ACME).history.restoring
    second = again.restore(TagName("before"), session_id="back", subject="root").receipt

    assert first is not None
    assert second is not None
    assert (second.seq, second.snapshot_id, second.repeated) == (first.seq, first.snapshot_id, True)
    with pytest.raises(SessionConflictError):
        again.restore(START, session_id="back", subject="root")


def test_a_dry_run_says_the_same_as_the_restore_and_writes_nothing(memory_bench: GraphBench) -> None:
    graph = _grown(memory_bench)

    planned = graph.history.restoring.plan(TagName("before"))
    assert len(graph.snapshots(10)) == 2
    done = graph.history.restoring.restore(TagName("before"), session_id="back", subject="root")

    assert (planned.nodes, planned.edges) == (done.nodes, done.edges)
    assert planned.receipt is None


def test_a_restore_settles_with_a_writer_that_was_first(memory_bench: GraphBench) -> None:
    """What others committed since this process last looked is taken back as well."""
    graph = _grown(memory_bench)
    memory_bench.graphs().of(ACME).commit(_session("other", "n:5=1"))

    done = graph.history.restoring.restore(TagName("before"), session_id="back", subject="root")

    assert done.receipt is not None
    assert done.receipt.seq == 4
    assert graph.history.comparing.diff(diff_query(TagName("before")))[0].node_counts.total == 0


def test_removed_edges_are_told_as_well(memory_bench: GraphBench) -> None:
    graph = _grown(memory_bench)
    graph.commit(session_of("c", subject="ada", removed_edges=[edge_key_of("n:1", "KNOWS", "n:4")]))

    page, _ = graph.history.comparing.diff(diff_query(graph.snapshots(2)[1].id))

    assert _told(page) == [("removed", "n:1>KNOWS>n:4")]
