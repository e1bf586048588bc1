"""Thousands of interleavings of writers, upkeep, erasure, schema change and readers, held against a simple model.

``AETERNA_TEST_INTERLEAVINGS`` is how many stories are told; each has up to 30 steps by two processes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.types import StringType

from aeterna.graph.domain.catalogs import NAMESPACE
from aeterna.graph.domain.erasure import Target
from aeterna.graph.domain.snapshots import AtSeq
from aeterna.graph.domain.upkeep import CollectionPolicy, CompactionPolicy, RetentionPolicy
from aeterna.graph.errors import SnapshotNotFoundError, UnknownNodeError
from aeterna.graph.ports import CommitTrace
from aeterna.graph.usecases.compacting import compact
from aeterna.graph.usecases.upkeep import unwatched
from fixtures.fix_graph import ACME, GraphBench, arrow_lens, iceberg_stores
from fixtures.graph_model import IDS, Item, State, Written, pairs, shown

if TYPE_CHECKING:
    from aeterna.graph.domain.snapshots import Receipt
    from aeterna.graph.ports import Upkeep
    from aeterna.graph.usecases.graphs import Graphs

STORIES = int(os.environ.get("AETERNA_TEST_INTERLEAVINGS", "30"))
PROCESSES = st.sampled_from([0, 1])
SUBJECTS = st.sampled_from(["ada", "bob"])
some_ids = st.frozensets(st.sampled_from(IDS), max_size=3)
some_edges = st.frozensets(st.sampled_from(pairs(IDS)), max_size=3)


def now() -> datetime:
    """Return the time that files and snapshots have, too."""
    return datetime.now(UTC)


CHANGES = st.builds(Written, nodes=some_ids, edges=some_edges, removed_nodes=some_ids, removed_edges=some_edges).filter(
    lambda written: written.is_possible
)


class GraphStory(RuleBasedStateMachine):
    """Two processes on one catalog. ``states`` is the model: the state after each seq."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="graph-model-"))
        self.benches: dict[int, GraphBench] = {}
        self.graphs: dict[int, Graphs] = {}
        for process in range(2):
            self._start(process)
        self.states = [State()]
        self.receipts: list[tuple[Written, str, Receipt]] = []
        self.numbers = 0

    def _start(self, process: int) -> None:
        stores = iceberg_stores(self.folder)
        self.benches[process] = GraphBench(stores=stores, new_lens=arrow_lens, clock=now)
        self.graphs[process] = self.benches[process].graphs()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            for graphs in self.graphs.values():
                graphs.close()
            shutil.rmtree(self.folder)

    @rule(process=PROCESSES, subject=SUBJECTS, written=CHANGES)
    def write(self, process: int, subject: str, written: Written) -> None:
        self.numbers += 1
        session = written.session(self.numbers, subject)
        if self.states[-1].lacks(written):
            with pytest.raises(UnknownNodeError):
                self.graphs[process].of(ACME).commit(session)
            return
        receipt = self.graphs[process].of(ACME).commit(session)
        assert receipt.seq == len(self.states), "the seq has a gap"
        self.states.append(self.states[-1].after(written, Item(self.numbers, subject)))
        self.receipts.append((written, subject, receipt))

    @precondition(lambda self: self.receipts)
    @rule(process=PROCESSES, data=st.data())
    def repeat(self, process: int, data: st.DataObject) -> None:
        written, subject, receipt = data.draw(st.sampled_from(self.receipts))
        session = written.session(int(receipt.session_id[1:]), subject)
        again = self.graphs[process].of(ACME).commit(session)
        assert (again.seq, again.committed_at, again.repeated) == (receipt.seq, receipt.committed_at, True)

    @rule(process=PROCESSES)
    def restart(self, process: int) -> None:
        self.graphs[process].close()
        self._start(process)

    @rule(process=PROCESSES, full=st.booleans(), forget_after=st.sampled_from([timedelta(0), timedelta(hours=1)]))
    def compact(self, process: int, full: bool, forget_after: timedelta) -> None:
        policy = CompactionPolicy(merge_runs=2, forget_after=forget_after)
        world = self.benches[process].engine().world
        compact(self._upkeep(process).compactor, policy, world, trace=CommitTrace(), watch=unwatched, full=full)

    @rule(process=PROCESSES, keep=st.integers(1, 4))
    def expire(self, process: int, keep: int) -> None:
        policy = RetentionPolicy(keep_least=keep, keep_age=timedelta(0), keep_most=keep)
        self._upkeep(process).expirer.expire(policy, now=now(), dry_run=False)

    @rule(process=PROCESSES)
    def collect(self, process: int) -> None:
        policy = CollectionPolicy(grace=timedelta(0))
        self._upkeep(process).collector.collect(policy, now=now(), dry_run=False, watch=unwatched)

    def _upkeep(self, process: int) -> Upkeep:
        return self.benches[process].stores.upkeep(ACME)

    @precondition(lambda self: self.receipts)
    @rule(process=PROCESSES, subject=SUBJECTS)
    def order_erasure(self, process: int, subject: str) -> None:
        """Hide at once what the subject wrote last, in the past too."""
        self.graphs[process].of(ACME).erasures.order(Target(subject=subject), by="root")
        self.states = [state.without(subject) for state in self.states]
        self._recorded(process)
        self.receipts = [each for each in self.receipts if each[1] != subject]

    @rule(process=PROCESSES)
    def erase(self, process: int) -> None:
        graph = self.graphs[process].of(ACME)
        graph.refresh()  # an order that was given elsewhere is known after the next look
        erasures = graph.erasures
        erasures.run()
        self._recorded(process)
        assert all(erasure.state == "done" for erasure in erasures.erasures())

    @precondition(lambda self: self.receipts)
    @rule(process=PROCESSES, data=st.data())
    def restore(self, process: int, data: st.DataObject) -> None:
        _, _, receipt = data.draw(st.sampled_from(self.receipts))
        graph = self.graphs[process].of(ACME)
        try:
            restored = graph.history.restoring.restore(AtSeq(receipt.seq), session_id=None, subject="root")
        except SnapshotNotFoundError:
            self._require_forgotten(process, receipt.seq)
            return
        assert restored.receipt is not None
        # A process that has not looked since may name its restore as another did, which then is the same one.
        if not restored.receipt.repeated:
            self.states.append(self.states[receipt.seq])

    @rule(change=st.sampled_from(["add", "drop", "rename"]))
    def evolve(self, change: str) -> None:
        """Add and drop a column of somebody else's, and rename one of ours, as another engine may."""
        catalog = SqlCatalog("aeterna", uri=f"sqlite:///{self.folder}/catalog.db", warehouse=f"{self.folder}/warehouse")
        with contextlib.suppress(NoSuchTableError, ValueError):
            table = catalog.load_table((NAMESPACE, "acme"))
            with table.update_schema() as update:
                match change:
                    case "add":
                        update.add_column("note", StringType())
                    case "drop":
                        update.delete_column("note")
                    case _:
                        update.rename_column("kind", "sort")
        catalog.engine.dispose()

    @precondition(lambda self: self.receipts)
    @rule(process=PROCESSES, data=st.data())
    def look_back(self, process: int, data: st.DataObject) -> None:
        _, _, receipt = data.draw(st.sampled_from(self.receipts))
        try:
            past = shown(self.graphs[process].of(ACME), as_of=receipt.committed_at, at_least=len(self.states) - 1)
        except SnapshotNotFoundError:
            self._require_forgotten(process, receipt.seq)
            return
        assert past == self.states[receipt.seq].shown

    def _require_forgotten(self, process: int, seq: int) -> None:
        head = self.benches[process].stores.open(ACME).head()
        assert head is not None
        assert seq < head.floor, "a state behind the floor is not readable"

    def _recorded(self, process: int) -> None:
        """Let the model know of sessions that only go on record: they leave nodes and edges as they are."""
        head = self.benches[process].stores.open(ACME).head()
        last_seq = head.last_seq if head else 0
        self.states += [self.states[-1]] * (last_seq + 1 - len(self.states))

    @rule(process=PROCESSES)
    def read(self, process: int) -> None:
        seen = shown(self.graphs[process].of(ACME), at_least=len(self.states) - 1)
        assert seen == self.states[-1].shown


def test_no_interleaving_makes_the_graph_differ_from_the_model() -> None:
    run_state_machine_as_test(
        GraphStory,
        settings=settings(
            max_examples=STORIES,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
            report_multiple_bugs=False,
            phases=[Phase.generate],
        ),
    )
