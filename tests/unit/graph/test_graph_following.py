"""The change feed: every session once, in order, from any position that is still kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.changes import edge_of, node_of, removed_node_of, session_of
from aeterna.graph.domain.identifiers import TagName
from aeterna.graph.domain.upkeep import CollectionPolicy, CompactionPolicy, RetentionPolicy
from aeterna.graph.errors import ChangesExpiredError, InvalidQueryError
from aeterna.graph.ports import CommitTrace
from aeterna.graph.testing import MemoryGraphStore, MemoryGraphStores
from aeterna.graph.usecases.compacting import compact
from aeterna.graph.usecases.following import PART_ROWS
from aeterna.graph.usecases.upkeep import unwatched
from fixtures.fix_graph import ACME, GraphBench

if TYPE_CHECKING:
    from aeterna.graph.domain.identifiers import SnapshotId, TenantId
    from aeterna.graph.domain.rows import Rows
    from aeterna.graph.usecases.following import SessionPart
    from aeterna.graph.usecases.graphs import Graph


@pytest.fixture(params=["memory", "iceberg"])
def bench(request: pytest.FixtureRequest) -> GraphBench:
    found = request.getfixturevalue(f"{request.param}_bench")
    assert isinstance(found, GraphBench)
    return found


def _commit(graph: Graph, id_: str, *nodes: str, removed: tuple[str, ...] = ()) -> None:
    graph.commit(
        session_of(
            id_,
            subject="ada",
            nodes=[node_of(node, "Thing", {"by": id_}) for node in nodes],
            edges=[edge_of(nodes[0], "T", node) for node in nodes[1:]],
            removed_nodes=[removed_node_of(node) for node in removed],
        )
    )


def _all(graph: Graph, after: int) -> list[SessionPart]:
    """Follow until there is no more."""
    found: list[SessionPart] = []
    while news := list(graph.history.following.after(after)):
        found += news
        after = news[-1].seq
    return found


def test_every_session_comes_once_and_in_order(bench: GraphBench) -> None:
    graph = bench.graphs().of(ACME)
    futures = [graph.submit(session_of(f"s{n}", subject="ada", nodes=[node_of(f"n:{n}", "Thing")])) for n in range(40)]
    seqs = {future.result().session_id: future.result().seq for future in futures}

    told = _all(graph, 0)

    assert [part.seq for part in told] == list(range(1, 41))
    assert {part.session_id: part.seq for part in told} == seqs
    assert all(part.last and part.number == 0 and part.rows.num_rows == 1 for part in told)


def test_following_goes_on_behind_any_position(bench: GraphBench) -> None:
    graph = bench.graphs().of(ACME)
    for number in range(4):
        _commit(graph, f"s{number}", f"n:{number}")

    assert [[part.seq for part in _all(graph, after)] for after in range(5)] == [
        [1, 2, 3, 4],
        [2, 3, 4],
        [3, 4],
        [4],
        [],
    ]


def test_what_a_session_removed_comes_with_its_edges(bench: GraphBench) -> None:
    graph = bench.graphs().of(ACME)
    _commit(graph, "a", "n:1", "n:2")
    _commit(graph, "b", removed=("n:2",))

    rows = untyped(_all(graph, 1)[0].rows).select(["record", "op", "id", "target"]).to_pylist()

    assert rows == [
        {"record": "node", "op": "delete", "id": "n:2", "target": None},
        {"record": "edge", "op": "delete", "id": None, "target": "n:2"},
    ]


def test_a_position_that_was_never_given_out_is_refused(bench: GraphBench) -> None:
    graph = bench.graphs().of(ACME)
    _commit(graph, "a", "n:1")

    with pytest.raises(InvalidQueryError):
        graph.history.following.check(2)


def test_sessions_of_another_process_are_seen(bench: GraphBench) -> None:
    here, there = bench.graphs().of(ACME), bench.graphs().of(ACME)
    _commit(here, "a", "n:1")
    assert here.history.following.newest() == 1
    _commit(there, "b", "n:2")

    assert here.history.following.newest() == 2
    assert [part.session_id for part in _all(here, 1)] == ["b"]


def test_compaction_takes_nothing_from_the_feed_within_the_history_that_is_kept(iceberg_bench: GraphBench) -> None:
    """What was written over is still told, though its files were merged and its snapshots expired."""
    graph = iceberg_bench.graphs().of(ACME)
    for number in range(5):
        _commit(graph, f"s{number}", "n:1")
    _compacted(iceberg_bench, history=timedelta(days=1))
    _expired(iceberg_bench, keep=1)
    graph.refresh()
    _commit(graph, "after", "n:1")

    assert [part.session_id for part in _all(graph, 0)] == ["s0", "s1", "s2", "s3", "s4", "after"]


def test_a_position_before_the_history_that_is_kept_says_where_to_begin_again(iceberg_bench: GraphBench) -> None:
    graph = iceberg_bench.graphs().of(ACME)
    for number in range(6):
        _commit(graph, f"s{number}", "n:1")
    told_before = _all(graph, 0)
    _compacted(iceberg_bench, history=timedelta(0))
    _commit(graph, "after", "n:1")
    graph.refresh()

    with pytest.raises(ChangesExpiredError) as expired:
        list(graph.history.following.after(0))

    assert len(told_before) == 6
    oldest = expired.value.oldest
    assert 0 < oldest <= 6
    assert [part.seq for part in _all(graph, oldest)] == list(range(oldest + 1, 8))
    # What a client does then: it reads the state, and follows it from there.
    assert _all(graph, graph.statistics().seq) == []


def test_a_session_larger_than_any_clients_comes_in_parts(bench: GraphBench) -> None:
    """A restore may write any number of rows; its position is only reached with the last of them."""
    graph, half = bench.graphs().of(ACME), PART_ROWS // 2 + 100
    names = [[f"n:{each}:{number}" for number in range(half)] for each in range(2)]
    for each in range(2):
        nodes = [node_of(name, "Thing") for name in names[each]]
        graph.commit(session_of(f"written{each}", subject="ada", nodes=nodes))
    graph.history.tags.create(TagName("whole"))
    for each in range(2):
        gone = [removed_node_of(name) for name in names[each]]
        graph.commit(session_of(f"removed{each}", subject="ada", removed_nodes=gone))
    graph.history.restoring.restore(TagName("whole"), session_id="back", subject="root")

    parts = _all(graph, 4)

    assert [part.number for part in parts] == list(range(len(parts)))
    assert [part.last for part in parts] == [False] * (len(parts) - 1) + [True]
    assert len(parts) > 1
    assert sum(part.rows.num_rows for part in parts) == 2 * half
    assert {part.session_id for part in parts} == {"back"}


class _CountingStore(MemoryGraphStore):
    def __init__(self, store: MemoryGraphStore, reads: list[tuple[int, int | None]]) -> None:
        super().__init__(store._history, store._ids, store._failures)
        self._reads = reads

    @override
    def rows(self, to: SnapshotId, *, after: int = 0, up_to: int | None = None) -> Rows:
        self._reads.append((after, up_to))
        return super().rows(to, after=after, up_to=up_to)


class _CountingStores(MemoryGraphStores):
    def __init__(self) -> None:
        super().__init__()
        self.reads: list[tuple[int, int | None]] = []

    @override
    def open(self, tenant: TenantId) -> _CountingStore:
        return _CountingStore(super().open(tenant), self.reads)


def test_many_who_follow_share_what_is_read() -> None:
    """Those who catch up from different places ask for the same blocks."""
    stores = _CountingStores()
    graph = GraphBench(stores=stores).graphs().of(ACME)
    futures = [graph.submit(session_of(f"s{n}", subject="ada", nodes=[node_of(f"n:{n}", "Thing")])) for n in range(150)]
    assert max(future.result().seq for future in futures) == 150

    with ThreadPoolExecutor(4) as pool:
        reading = [pool.submit(_all, graph, after) for after in range(4)]
        told = [[part.seq for part in future.result()] for future in reading]

    assert told == [list(range(after + 1, 151)) for after in range(4)]
    # Each on its own would read twice; how many blocks are shared depends on who is ahead of whom.
    assert len(stores.reads) == len(set(stores.reads)) < 2 * len(told)


def _compacted(bench: GraphBench, *, history: timedelta) -> None:
    compact(
        bench.stores.upkeep(ACME).compactor,
        CompactionPolicy(forget_after=history),
        bench.engine().world,
        trace=CommitTrace(),
        watch=unwatched,
        full=True,
    )


def _expired(bench: GraphBench, *, keep: int) -> None:
    """Expire and collect as hard as it goes, as a maintenance of another process."""
    upkeep, now = bench.stores.upkeep(ACME), bench.clock() + timedelta(days=10_000)
    upkeep.expirer.expire(
        RetentionPolicy(keep_least=keep, keep_age=timedelta(0), keep_most=keep), now=now, dry_run=False
    )
    upkeep.collector.collect(CollectionPolicy(grace=timedelta(0)), now=now, dry_run=False, watch=unwatched)
