"""What pyiceberg does again and again with a table's metadata, done once: one version's remedy, in one module.

Costs of a stock append that grow with the number of snapshots before it:

* ``Transaction.table_metadata`` is computed about twenty times for one append. Its value depends only on the table's
  metadata and on the staged updates, both of which are replaced and never changed in place: `MemoisedTransaction`
  remembers the last value.
* Each of those values, and the one that a catalog writes, is a deep copy of all metadata. Nobody changes metadata in
  place: its models are frozen, and every update makes new lists. `SharedMetadata` copies none of it, and writes each
  snapshot as JSON once instead of all of them for each commit.
* A SQL catalog reads and parses the metadata file at each look and again in each commit. Such a file is written once
  and never again, so `SharingSqlCatalog` remembers the newest parsed metadata of each table by its file's name.

This rests on how one version of pyiceberg is written, so it is used with that version only; tests fail when upstream
no longer needs it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, cast

import pyiceberg
from pydantic import PrivateAttr
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table, TableProperties, Transaction
from pyiceberg.table.metadata import TableMetadataV2
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyiceberg.catalog.sql import IcebergTables
    from pyiceberg.table import CommitTableResponse
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.snapshots import Snapshot
    from pyiceberg.table.update import TableRequirement, TableUpdate

REMEDIED_VERSION: Final = "0.12.0"
_REMEMBERED_TABLES: Final = 256


class SharedMetadata(TableMetadataV2):
    """Metadata whose copies share what they do not replace, and whose snapshots are written as JSON once each."""

    _texts: dict[int, tuple[Snapshot, str]] = PrivateAttr(default_factory=dict[int, "tuple[Snapshot, str]"])

    @override
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> SharedMetadata:
        del deep  # the one caller that asks for it is done with the original, and so is everybody else
        return super().model_copy(update=update)

    @override
    def snapshot_by_id(self, snapshot_id: int) -> Snapshot | None:
        # From the newest: that is the one that is asked for.
        return next((each for each in reversed(self.snapshots) if each.snapshot_id == snapshot_id), None)

    @override
    def model_dump_json(
        self, exclude_none: bool = True, exclude: set[str] | None = None, by_alias: bool = True, **kwargs: Any
    ) -> str:
        if exclude or kwargs or not (exclude_none and by_alias):
            return super().model_dump_json(exclude_none=exclude_none, exclude=exclude, by_alias=by_alias, **kwargs)
        frame = super(SharedMetadata, self.model_copy(update={"snapshots": []})).model_dump_json()
        self._texts = {each.snapshot_id: self._text(each) for each in self.snapshots}
        texts = ",".join(text for _, text in self._texts.values())
        # No value can hold this: its quotes would be escaped.
        return frame.replace('"snapshots":[]', f'"snapshots":[{texts}]', 1)

    def _text(self, snapshot: Snapshot) -> tuple[Snapshot, str]:
        known = self._texts.get(snapshot.snapshot_id)
        # Expiry replaces a snapshot whose parent goes by another one of the same id.
        return known if known is not None and known[0] is snapshot else (snapshot, snapshot.model_dump_json())


def shared(metadata: TableMetadata, version: str = pyiceberg.__version__) -> TableMetadata:
    """Return the same metadata, cheap to copy; other formats and versions stay what they are."""
    if version != REMEDIED_VERSION or type(metadata) is not TableMetadataV2:
        return metadata
    return SharedMetadata.model_construct(_fields_set=set(metadata.model_fields_set), **metadata.__dict__)


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

    @override
    def _register_snapshot_producer(self, producer: object) -> None:
        """Remember no producer, so that a refused commit deletes no file and is not tried again in here.

        A catalog's client may send a commit twice when the first answer gets lost, and is then refused by its own
        commit: deleting its manifests would break the table. Collection removes what no snapshot names.
        """


def transaction(table: Table, version: str = pyiceberg.__version__) -> Transaction:
    """Begin a transaction that is not tried again; a version that was not examined gets pyiceberg's own kind.

    pyiceberg would put a refused append on top of the new head by itself, with a seq that another writer has taken by
    then. Other engines may, so the table's own properties do not forbid it: only this process's copy of them does.
    """
    once = {**table.metadata.properties, TableProperties.COMMIT_NUM_RETRIES: "0"}
    table.metadata = shared(table.metadata, version).model_copy(update={"properties": once})
    return MemoisedTransaction(table) if version == REMEDIED_VERSION else Transaction(table)


class SharingSqlCatalog(SqlCatalog):
    """A SQL catalog that parses a metadata file once, and neither reads nor parses what it has written itself."""

    def __init__(self, name: str, **properties: str) -> None:
        self._parsed: OrderedDict[tuple[str, ...], tuple[str, TableMetadata]] = OrderedDict()
        self._turn = threading.Lock()
        super().__init__(name, **properties)

    @override
    def commit_table(
        self, table: Table, requirements: tuple[TableRequirement, ...], updates: tuple[TableUpdate, ...]
    ) -> CommitTableResponse:
        response = super().commit_table(table, requirements, updates)
        self._remember(table.name(), response.metadata_location, response.metadata)
        return response

    @override
    def _convert_orm_to_iceberg(self, orm_table: IcebergTables) -> Table:
        name = (str(orm_table.table_namespace), str(orm_table.table_name))
        location = str(orm_table.metadata_location)
        with self._turn:
            known = self._parsed.get(name)
        if known is None or known[0] != location:
            table = super()._convert_orm_to_iceberg(orm_table)
            table.metadata = shared(table.metadata)
            self._remember(name, location, table.metadata)
            return table
        io = self._load_file_io(known[1].properties, location)
        return Table(identifier=name, metadata=known[1], metadata_location=location, io=io, catalog=self)

    def _remember(self, name: tuple[str, ...], location: str, metadata: TableMetadata) -> None:
        with self._turn:
            self._parsed[name] = (location, shared(metadata))
            self._parsed.move_to_end(name)
            while len(self._parsed) > _REMEMBERED_TABLES:
                self._parsed.popitem(last=False)


def sql_catalog(name: str, properties: Mapping[str, str], version: str = pyiceberg.__version__) -> SqlCatalog:
    """Open a SQL catalog; a version that was not examined gets pyiceberg's own."""
    kind = SharingSqlCatalog if version == REMEDIED_VERSION else SqlCatalog
    return cast("SqlCatalog", kind(name, **properties))
