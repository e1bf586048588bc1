"""A pyiceberg transaction that computes its metadata once for each change instead of at each look.

``Transaction.table_metadata`` copies the whole history of the table about twenty times for one append, so stock
appends slow down as history grows. The value depends only on the table's metadata and on the staged updates, both
of which are replaced and never changed in place: remembering the last value is exact. This rests on how one version
of pyiceberg is written, so it is used with that version only; a test fails when upstream no longer needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyiceberg
from pyiceberg.table import Transaction
from typing_extensions import override

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.update import TableUpdate

REMEDIED_VERSION: Final = "0.12.0"


class MemoisedTransaction(Transaction):
    """A transaction whose `table_metadata` is computed once for each state of it."""

    _memo: tuple[TableMetadata, tuple[TableUpdate, ...], TableMetadata] | None = None

    @property
    @override
    def table_metadata(self) -> TableMetadata:
        base, updates, memo = self._table.metadata, self._updates, self._memo
        if memo is not None and memo[0] is base and memo[1] is updates:
            return memo[2]
        metadata = super().table_metadata
        self._memo = (base, updates, metadata)
        return metadata


def transaction(table: Table, version: str = pyiceberg.__version__) -> Transaction:
    """Begin a transaction; a version that was not examined gets pyiceberg's own."""
    return MemoisedTransaction(table) if version == REMEDIED_VERSION else Transaction(table)
