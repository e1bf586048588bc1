"""What is done once in place of many times is exact, guarded by the version, and still needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyiceberg
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadataV2
from pyiceberg.table.update import SetPropertiesUpdate, update_table_metadata

from aeterna.graph.adapters.iceberg.transaction import (
    REMEDIED_VERSION,
    MemoisedTransaction,
    SharedMetadata,
    SharingSqlCatalog,
    shared,
    sql_catalog,
    transaction,
)
from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.catalogs import NAMESPACE
from aeterna.graph.domain.changes import node_of, session_of
from fixtures.fix_graph import ACME, batch_of, iceberg_stores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.table.metadata import TableMetadata


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    """Return a tenant's table with one snapshot."""
    stores = iceberg_stores(tmp_path)
    stores.open(ACME).append(batch_of(session_of("1", subject="ada", nodes=[node_of("a", "T")])), parent=None)
    stores.close()
    catalog = SqlCatalog("aeterna", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=str(tmp_path / "warehouse"))
    yield catalog.load_table((NAMESPACE, "acme"))
    catalog.engine.dispose()


class _Counting:
    """Counts how often a transaction asks for its metadata, and how many different answers it gets."""

    def __init__(self, kind: type[Transaction], table: Table) -> None:
        self.answers: list[Any] = []
        answers = self.answers

        class Counted(kind):
            @property
            def table_metadata(self) -> TableMetadata:
                answers.append(super().table_metadata)
                return answers[-1]

        rows: Any = batch_of(session_of("2", subject="ada", nodes=[node_of("b", "T")]), first_seq=2).rows
        counted = Counted(table)
        untyped(counted).append(rows)
        counted.commit_transaction()


def test_upstream_still_copies_its_metadata_at_each_look(table: Table) -> None:
    """When this fails, pyiceberg has mended it: delete the module and ADR 0011's reason with it."""
    answers = _Counting(Transaction, table).answers

    assert len({id(answer) for answer in answers}) > 10


def test_the_memoised_transaction_computes_its_metadata_once_for_each_change(table: Table) -> None:
    answers = _Counting(MemoisedTransaction, table).answers

    assert len({id(answer) for answer in answers}) <= 3


def test_the_memo_is_exact(table: Table) -> None:
    memoised, stock = MemoisedTransaction(table), Transaction(table)
    for each in (memoised, stock):
        assert each.table_metadata == table.metadata
        each.set_properties({"owner": "ada"})
    assert memoised.table_metadata.properties == stock.table_metadata.properties
    assert memoised.table_metadata.properties["owner"] == "ada"
    assert "owner" not in table.metadata.properties


@pytest.mark.parametrize(("version", "kind"), [(REMEDIED_VERSION, MemoisedTransaction), ("0.12.1", Transaction)])
def test_only_the_examined_version_is_remedied(table: Table, version: str, kind: type[Transaction]) -> None:
    assert type(transaction(table, version)) is kind


def test_the_installed_version_is_the_examined_one() -> None:
    assert pyiceberg.__version__ == REMEDIED_VERSION


def test_no_version_tries_a_refused_commit_again_whatever_the_table_says(table: Table) -> None:
    """Stock would append the same rows on a head that has taken their seq by then."""
    for version in (REMEDIED_VERSION, "0.12.1"):
        begun = transaction(table, version)
        assert begun.table_metadata.properties["commit.retry.num-retries"] == "0"


def test_upstream_still_copies_all_metadata_to_change_one_thing(table: Table) -> None:
    """When this fails, pyiceberg has mended it: delete `SharedMetadata`."""
    changed = update_table_metadata(table.metadata, (SetPropertiesUpdate(updates={"owner": "ada"}),))

    assert changed.snapshots[0] is not table.metadata.snapshots[0]


def test_shared_metadata_is_the_same_and_copies_nothing(table: Table) -> None:
    stock, ours = table.metadata, shared(table.metadata)
    update = (SetPropertiesUpdate(updates={"owner": "ada"}),)
    stock_changed, ours_changed = update_table_metadata(stock, update), update_table_metadata(ours, update)

    assert isinstance(ours, SharedMetadata)
    assert ours.model_dump_json() == stock.model_dump_json()
    assert ours_changed.snapshots[0] is ours.snapshots[0]
    assert ours_changed.properties == stock_changed.properties
    assert "owner" not in ours.properties


def test_metadata_of_a_version_that_was_not_examined_is_left_alone(table: Table) -> None:
    assert shared(table.metadata, "0.12.1") is table.metadata


@pytest.fixture
def catalog(table: Table, tmp_path: Path) -> Iterator[SharingSqlCatalog]:
    """Return a second process's catalog."""
    opened = sql_catalog(
        "aeterna", {"uri": f"sqlite:///{tmp_path}/catalog.db", "warehouse": str(tmp_path / "warehouse")}
    )
    assert isinstance(opened, SharingSqlCatalog)
    yield opened
    opened.engine.dispose()


def test_a_catalog_parses_what_it_has_seen_once(catalog: SharingSqlCatalog) -> None:
    first, second = (catalog.load_table((NAMESPACE, "acme")) for _ in range(2))

    assert second.metadata is first.metadata
    assert second is not first


def test_a_catalog_does_not_read_what_it_has_written(catalog: SharingSqlCatalog) -> None:
    table = catalog.load_table((NAMESPACE, "acme"))
    with transaction(table) as changes:
        changes.set_properties({"owner": "ada"})

    assert catalog.load_table((NAMESPACE, "acme")).metadata is table.metadata


def test_a_catalog_sees_what_another_process_wrote(catalog: SharingSqlCatalog, table: Table) -> None:
    before = catalog.load_table((NAMESPACE, "acme"))
    with table.transaction() as changes:
        changes.set_properties({"owner": "ada"})

    after = catalog.load_table((NAMESPACE, "acme"))
    assert "owner" not in before.metadata.properties
    assert after.metadata.properties["owner"] == "ada"
    assert after.metadata.model_dump_json() == table.metadata.model_dump_json()


def test_a_catalog_of_a_version_that_was_not_examined_is_pyicebergs_own(tmp_path: Path) -> None:
    opened = sql_catalog("aeterna", {"uri": f"sqlite:///{tmp_path}/other.db", "warehouse": str(tmp_path)}, "0.12.1")

    assert type(opened) is SqlCatalog
    opened.engine.dispose()


def test_a_refused_commit_deletes_no_file(catalog: SharingSqlCatalog, table: Table, tmp_path: Path) -> None:
    """It may have been refused by itself, sent twice on its way: then its files are part of the table."""
    late = catalog.load_table((NAMESPACE, "acme"))
    changes = transaction(late)
    untyped(changes).append(batch_of(session_of("late", subject="ada", nodes=[node_of("b", "T")]), first_seq=2).rows)
    files = set((tmp_path / "warehouse").rglob("*.avro"))
    untyped(table).append(batch_of(session_of("2", subject="ada", nodes=[node_of("c", "T")]), first_seq=2).rows)

    with pytest.raises(CommitFailedException):
        changes.commit_transaction()

    assert files <= set((tmp_path / "warehouse").rglob("*.avro"))


def test_metadata_is_written_as_stock_writes_it_after_every_kind_of_change(
    catalog: SharingSqlCatalog, tmp_path: Path
) -> None:
    """Another engine reads the file: it has to say what is so, whatever was remembered."""
    table = catalog.load_table((NAMESPACE, "acme"))
    for number in range(4):
        changes = transaction(table)
        rows = batch_of(session_of(f"s{number}", subject="ada", nodes=[node_of("b", "T")]), first_seq=2).rows
        untyped(changes).append(rows)
        changes.commit_transaction()
    table.manage_snapshots().create_tag(table.snapshots()[3].snapshot_id, "kept").commit()
    table.maintenance.expire_snapshots().by_id(table.snapshots()[1].snapshot_id).commit()
    with transaction(table) as changes:
        changes.set_properties({"odd": '"snapshots":[]'})

    written = json.loads(Path(table.metadata_location.removeprefix("file://")).read_text())

    stock = TableMetadataV2.model_validate(table.metadata.model_dump())
    assert written == json.loads(stock.model_dump_json())
    assert len(written["snapshots"]) == 4
    assert [each.get("parent-snapshot-id") is None for each in written["snapshots"]] == [True, True, False, False]
