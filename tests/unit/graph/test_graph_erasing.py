"""How an erasure rewrites a table, goes on where it was stopped, and leaves alone what it does not reach."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import NestedField, StringType

from aeterna.graph.adapters.iceberg.derived import COMMUNITIES
from aeterna.graph.domain.arrow import pa, untyped
from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.domain.erasure import MAX_NODES, Target, target_of
from aeterna.graph.domain.identifiers import NodeId, TagName
from aeterna.graph.domain.upkeep import RetentionPolicy
from aeterna.graph.errors import CommitConflictError, InvalidErasureError, StorageError
from aeterna.graph.usecases.erasure_jobs import ErasureJobs
from fixtures.fix_graph import ACME, GraphBench, arrow_lens, batch_of, iceberg_stores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.graph.domain.changes import Node
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.snapshots import Receipt, Snapshot
    from aeterna.graph.ports import Batch, Eraser, GraphStores, TagStore
    from aeterna.graph.usecases.graphs import Graph

EVE: Final = Target(subject="eve.canary@example.org")
CANARY: Final = "canary in a property"
EVES: Final = str(EVE.subject)


class Killed(BaseException):
    """What a test throws where a process would have died."""


class MortalStores:
    """Stores whose erasers die at the chosen call, before or after it had its effect."""

    def __init__(self, inner: GraphStores) -> None:
        self.inner = inner
        self.dies: tuple[str, str] | None = None

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def refs(self, tenant: TenantId) -> TagStore:
        """Give access to tags."""
        return self.inner.refs(tenant)

    def eraser(self, tenant: TenantId) -> Eraser:
        """Give an eraser that may die."""
        return MortalEraser(self.inner.eraser(tenant), self)  # pyright: ignore[reportReturnType]  # it answers as the one in it


class MortalEraser:
    """An eraser that dies when its stores say so."""

    def __init__(self, inner: Eraser, stores: MortalStores) -> None:
        self._inner = inner
        self._stores = stores

    def __getattr__(self, name: str) -> object:
        call: Any = getattr(self._inner, name)

        def mortal(*arguments: object, **details: object) -> object:
            self._die(name, "before")
            answer: object = call(*arguments, **details)
            self._die(name, "after")
            return answer

        return mortal

    def _die(self, name: str, moment: str) -> None:
        if self._stores.dies == (name, moment):
            self._stores.dies = None
            raise Killed


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[MortalStores]:
    opened = MortalStores(iceberg_stores(tmp_path))
    yield opened
    opened.inner.close()


@pytest.fixture
def bench(stores: MortalStores) -> GraphBench:
    return GraphBench(stores=stores, new_lens=arrow_lens)  # pyright: ignore[reportArgumentType]  # it answers as the ones in it


@pytest.fixture
def graph(bench: GraphBench) -> Graph:
    return bench.graphs().of(ACME)


def _write(graph: Graph, subject: str, *nodes: Node) -> Receipt:
    return graph.commit(session_of(str(uuid4()), subject=subject, nodes=nodes))


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", ["rewrite", "garbage", "delete", "verify"])
def test_a_job_that_was_killed_is_finished_by_the_next(
    stores: MortalStores, bench: GraphBench, step: str, moment: str
) -> None:
    graph = bench.graphs().of(ACME)
    _write(graph, "ada", node_of("a", "T"))
    _write(graph, EVES, node_of("e", "T", {"text": CANARY}))
    id_ = graph.erasures.order(EVE, by="root").id
    stores.dies = (step, moment)
    with pytest.raises(Killed):
        graph.erasures.run()

    later = bench.graphs().of(ACME)
    later.erasures.run()

    certificate = later.erasures.erasure(id_)
    assert (certificate.state, later.statistics().nodes) == ("done", 1)
    assert later.erasures.verify(id_, EVE).clean
    assert any(file.path.startswith("data/") for file in certificate.files)


def test_a_tag_that_never_held_the_subject_stays_readable(stores: MortalStores, graph: Graph) -> None:
    before = _write(graph, "ada", node_of("a", "T"))
    stores.refs(ACME).create(TagName("clean"), before.snapshot_id, expires_at=None)
    held = _write(graph, EVES, node_of("e", "T"))
    stores.refs(ACME).create(TagName("tainted"), held.snapshot_id, expires_at=None)
    id_ = graph.erasures.order(EVE, by="root").id

    graph.erasures.run()

    removed = graph.erasures.erasure(id_).removed
    assert removed is not None
    assert (removed.refs, removed.kept_snapshots) == (("tainted",), (before.snapshot_id,))
    assert [tag.name for tag in stores.refs(ACME).tags()] == ["clean"]
    assert graph.statistics(as_of=TagName("clean")).nodes == 1


def test_a_file_of_a_commit_that_never_was_goes_too(stores: MortalStores, graph: Graph, tmp_path: Path) -> None:
    """A refused commit leaves its data file, which no metadata names."""
    _write(graph, EVES, node_of("e", "T", {"text": CANARY}))
    (file,) = (tmp_path / "warehouse").rglob("*.parquet")
    orphan = file.with_name("of-a-refused-commit.parquet")
    orphan.write_bytes(file.read_bytes())
    unrelated = file.with_name("of-a-commit-in-flight.parquet")
    graph.erasures.order(EVE, by="root")
    later = _write(graph, "ada", node_of("a", "T"))
    written = max((tmp_path / "warehouse").rglob("*.parquet"), key=lambda path: path.stat().st_mtime_ns)
    unrelated.write_bytes(written.read_bytes())

    graph.erasures.run()

    assert later.seq == 3
    assert (orphan.exists(), unrelated.exists()) == (False, True)


def test_files_without_the_subject_are_not_rewritten(stores: MortalStores, graph: Graph, tmp_path: Path) -> None:
    _write(graph, "ada", node_of("a", "T"))
    (untouched,) = (tmp_path / "warehouse").rglob("*.parquet")
    _write(graph, EVES, node_of("e", "T"))
    id_ = graph.erasures.order(EVE, by="root").id

    graph.erasures.run()

    assert untouched.exists()
    removed = graph.erasures.erasure(id_).removed
    assert removed is not None
    assert removed.rewritten_files == 2  # eve's session, and the order that named her


def test_a_rewrite_that_meets_another_writer_is_done_on_the_new_head(bench: GraphBench, graph: Graph) -> None:
    _write(graph, EVES, node_of("e", "T"))
    id_ = graph.erasures.order(EVE, by="root").id
    eraser = bench.stores.eraser(ACME)
    order = graph.erasures.erasure(id_)

    def overtaken(*_: object) -> None:
        _write(bench.graphs().of(ACME), "ada", node_of("meanwhile", "T"))
        raise CommitConflictError("rewrite", "another writer was first")

    with pytest.raises(CommitConflictError):
        eraser.rewrite(order, overtaken)

    graph.erasures.run()

    assert bench.graphs().of(ACME).statistics().nodes == 1


def test_a_rewrite_that_meets_an_expiry_is_done_again(bench: GraphBench, graph: Graph) -> None:
    """An expiry moves no head, and takes snapshots that the rewrite was about to take."""
    _write(graph, EVES, node_of("e", "T"))
    id_ = graph.erasures.order(EVE, by="root").id

    def meanwhile(head: Snapshot, _: object) -> Batch:
        now, keep_one = datetime(2030, 1, 1, tzinfo=UTC), RetentionPolicy(keep_least=1, keep_most=1)
        bench.stores.upkeep(ACME).expirer.expire(keep_one, now=now, dry_run=False)
        return batch_of(session_of("done", subject="root", nodes=[node_of("d", "T")]), first_seq=head.last_seq + 1)

    with pytest.raises(CommitConflictError):
        bench.stores.eraser(ACME).rewrite(graph.erasures.erasure(id_), meanwhile)

    graph.erasures.run()

    assert graph.erasures.verify(id_, EVE).clean


def test_a_lost_answer_is_settled_before_anybody_tries_again(memory_bench: GraphBench) -> None:
    graph = memory_bench.graphs().of(ACME)
    _write(graph, EVES, node_of("e", "T"))
    graph.erasures.order(EVE, by="root")
    stores: Any = memory_bench.stores
    stores.lose_answers()

    (done,) = graph.erasures.run()

    assert done.state == "done"
    assert memory_bench.graphs().of(ACME).statistics().nodes == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": None, "nodes": [], "tenant": False},
        {"subject": "", "nodes": [], "tenant": False},
        {"subject": "ada", "nodes": [], "tenant": True},
        {"subject": None, "nodes": [NodeId(str(number)) for number in range(MAX_NODES + 1)], "tenant": False},
    ],
    ids=["nothing", "an empty subject", "a tenant and a subject", "too many nodes"],
)
def test_a_target_that_says_nothing_or_too_much_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidErasureError):
        target_of(**wrong)


def test_an_id_that_is_no_uuid_is_refused(memory_bench: GraphBench) -> None:
    with pytest.raises(InvalidErasureError):
        memory_bench.graphs().of(ACME).erasures.order(EVE, by="root", id_="eve's")


def test_a_file_that_was_cut_off_is_no_proof(stores: MortalStores, graph: Graph, tmp_path: Path) -> None:
    _write(graph, EVES, node_of("e", "T"))
    (file,) = (tmp_path / "warehouse").rglob("*.parquet")
    file.with_name("half.parquet").write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    id_ = graph.erasures.order(EVE, by="root").id

    graph.erasures.run()

    found = graph.erasures.erasure(id_).verification
    assert found is not None
    assert [(finding.path, finding.what) for finding in found.findings] == [("data/half.parquet", "unreadable")]


def test_what_others_say_of_the_subject_is_a_mention_and_no_remain(graph: Graph) -> None:
    _write(graph, EVES, node_of("e", "T"))
    _write(graph, "ada", node_of("a", "T", {"text": f"I met {EVES}"}))
    id_ = graph.erasures.order(EVE, by="root").id

    graph.erasures.run()

    found = graph.erasures.erasure(id_).verification
    assert found is not None
    assert (found.clean, len(found.mentions)) == (True, 1)


def test_jobs_go_on_with_the_other_tenants_when_one_cannot(memory_bench: GraphBench) -> None:
    graphs = memory_bench.graphs()
    graph = graphs.of(ACME)
    _write(graph, EVES, node_of("e", "T"))
    graph.erasures.order(EVE, by="root")
    stores: Any = memory_bench.stores
    stores.refuse(StorageError("rewrite", "a test said so"))
    jobs = ErasureJobs(lambda tenant: graphs.of(tenant).erasures, memory_bench.engine().world, tenants=stores.tenants)

    jobs.sweep(stores.tenants())
    waiting, late = jobs.pending, jobs.oldest_seconds
    jobs.sweep(stores.tenants())

    assert (waiting, late > 0) == (1, True)
    assert (jobs.pending, jobs.oldest_seconds) == (0, 0.0)


def test_what_was_derived_from_the_tenants_graph_goes_and_the_neighbours_stays(
    stores: MortalStores, graph: Graph, tmp_path: Path
) -> None:
    """Spark writes communities of all tenants into one table, by tenant."""
    table = _communities(tmp_path)
    _write(graph, EVES, node_of(CANARY, "T"))
    id_ = graph.erasures.order(EVE, by="root").id

    graph.erasures.run()

    left = table.refresh().scan().to_arrow().to_pylist()
    assert [row["tenant"] for row in left] == ["umbrella"]
    assert not list(Path(table.location().removeprefix("file://")).rglob("tenant=acme/*.parquet"))
    assert [file.path for file in graph.erasures.erasure(id_).files if "tenant=acme" in file.path]


def _communities(folder: Path) -> Any:  # noqa: ANN401 - a table, as pyiceberg's own types are not whole
    fields = [
        NestedField(1, "tenant", StringType(), required=True),
        NestedField(2, "node", StringType(), required=True),
    ]
    schema = Schema(*fields)
    catalog: Any = SqlCatalog("aeterna", uri=f"sqlite:///{folder}/catalog.db", warehouse=str(folder / "warehouse"))
    catalog.create_namespace(COMMUNITIES[0])
    spec = PartitionSpec(PartitionField(source_id=1, field_id=1000, transform=IdentityTransform(), name="tenant"))
    table = catalog.create_table(COMMUNITIES, schema=schema, partition_spec=spec)
    for tenant in ("acme", "umbrella", "acme"):
        table.append(pa.table({"tenant": [tenant], "node": [CANARY]}, schema=untyped(schema).as_arrow()))
    return table


@pytest.mark.parametrize("when", ["before the order", "before the job", "after it"])
def test_a_compaction_changes_nothing_about_an_erasure(stores: MortalStores, graph: Graph, when: str) -> None:
    _write(graph, "ada", node_of("a", "T"), node_of("both", "T"))
    _write(graph, EVES, node_of("e", "T", {"text": CANARY}), node_of("both", "T"))
    if when == "before the order":
        _compact(stores)
    id_ = graph.erasures.order(EVE, by="root").id
    if when == "before the job":
        _compact(stores)

    graph.erasures.run()

    if when == "after it":
        _compact(stores)
    assert graph.erasures.verify(id_, EVE).clean
    assert graph.statistics().nodes == 1


def _compact(stores: MortalStores) -> None:
    compactor = stores.inner.upkeep(ACME).compactor
    compactor.runs()
    everything = datetime(2030, 1, 1, tzinfo=UTC)
    compactor.swap(compactor.rewrite(0, forget_before=everything, memory_bytes=64 << 20, watch=lambda _: None))


def test_a_writer_that_stands_on_an_erased_head_commits_on_the_new_one(bench: GraphBench, graph: Graph) -> None:
    """The manifests that it would have gone on from are deleted without a grace period."""
    other = bench.graphs().of(ACME)
    _write(graph, EVES, node_of("e", "T"))
    assert other.statistics().nodes == 1
    graph.erasures.order(EVE, by="root")
    graph.erasures.run()

    receipt = _write(other, "ada", node_of("a", "T"))

    assert bench.graphs().of(ACME).statistics(at_least=receipt.seq).nodes == 1
