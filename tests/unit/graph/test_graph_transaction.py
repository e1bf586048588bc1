"""The memoised transaction is exact, guarded by the version, and still needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyiceberg
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table, Transaction

from aeterna.graph.adapters.iceberg.stores import NAMESPACE
from aeterna.graph.adapters.iceberg.transaction import REMEDIED_VERSION, MemoisedTransaction, transaction
from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.changes import node_of, session_of
from fixtures.fix_graph import ACME, batch_of, iceberg_stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
