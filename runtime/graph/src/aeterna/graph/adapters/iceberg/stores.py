"""The tables of all tenants in one catalog, and whatever works on one tenant's table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pyiceberg.exceptions import (
    NamespaceAlreadyExistsError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from sqlalchemy.exc import IntegrityError

from aeterna.graph.adapters.iceberg.derived import COMMUNITIES, DerivedPart
from aeterna.graph.adapters.iceberg.erasing import IcebergEraser
from aeterna.graph.adapters.iceberg.layout import TABLE_PROPERTIES, require_known
from aeterna.graph.adapters.iceberg.refs import IcebergTagStore
from aeterna.graph.adapters.iceberg.store import IcebergGraphStore
from aeterna.graph.adapters.iceberg.translation import translated
from aeterna.graph.adapters.iceberg.upkeep import iceberg_upkeep
from aeterna.graph.adapters.iceberg.warehouse_io import WarehouseFileIO
from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.identifiers import tenant_id
from aeterna.graph.domain.rows import ROW_SCHEMA
from aeterna.graph.errors import StorageError

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table
    from sqlalchemy import Engine

    from aeterna.graph.adapters.iceberg.catalogs.opened import OpenCatalog
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.ports import Upkeep


class IcebergGraphStores:
    """`GraphStores` in one catalog: a table for each tenant."""

    def __init__(self, opened: OpenCatalog) -> None:
        """Find or make the namespace of all tables; raise `StorageError`. The catalog is closed with the stores."""
        self._opened = opened
        self._catalog = opened.catalog
        try:
            with translated("open the catalog"):
                _ensure_namespace(self._catalog, opened.namespace)
        except StorageError:
            opened.close()
            raise

    def open(self, tenant: TenantId) -> IcebergGraphStore:
        """Give access to one tenant's history; creates nothing before the first append."""
        name = self._table_of(tenant)
        return IcebergGraphStore(load=lambda: _load(self._catalog, name), make=lambda: _make(self._catalog, name))

    def refs(self, tenant: TenantId) -> IcebergTagStore:
        """Give access to one tenant's tags."""
        return IcebergTagStore(load=lambda: _load(self._catalog, self._table_of(tenant)))

    def upkeep(self, tenant: TenantId) -> Upkeep:
        """Give what keeps one tenant's table fast and small."""
        return iceberg_upkeep(lambda: _load(self._catalog, self._table_of(tenant)))

    def eraser(self, tenant: TenantId) -> IcebergEraser:
        """Give what takes rows out of one tenant's history for ever."""
        name = self._table_of(tenant)
        return IcebergEraser(
            load=lambda: _load(self._catalog, name),
            derived=DerivedPart(tenant, load=lambda: _load(self._catalog, COMMUNITIES)),
            beside=_database_files(self.engine),
        )

    def tenants(self) -> tuple[TenantId, ...]:
        """Return every tenant that has a table; tables whose names no tenant's table can have are others'."""
        with translated("list the tables"):
            names = [name for *_, name in self._catalog.list_tables(self._opened.namespace)]
        return tuple(sorted(tenant for name in names if (tenant := _tenant_of(name)) is not None))

    @property
    def engine(self) -> Engine | None:
        """The catalog's own database; None where it has none that could hold more."""
        return self._opened.engine

    def probe(self) -> None:
        """Raise `StorageError` when the catalog cannot be reached."""
        with translated("reach the catalog"):
            self._catalog.load_namespace_properties(self._opened.namespace)

    def close(self) -> None:
        """Release the connections to the catalog."""
        self._opened.close()

    def _table_of(self, tenant: TenantId) -> tuple[str, str]:
        # "-" is no part of a name in several engines, and "_" no part of a tenant: so this is one to one.
        return self._opened.namespace, tenant.replace("-", "_")


def _tenant_of(table: str) -> TenantId | None:
    try:
        return None if "-" in table else tenant_id(table.replace("_", "-"))
    except ValueError:
        return None


def _database_files(engine: Engine | None) -> tuple[Path, ...]:
    """Return the files of a catalog that is one on this machine: what it holds is verified with a tenant's files."""
    if engine is None or engine.dialect.name != "sqlite" or not engine.url.database:
        return ()
    database = Path(engine.url.database)
    return database, database.with_name(f"{database.name}-wal")


def _ensure_namespace(catalog: Catalog, namespace: str) -> None:
    try:
        # Looked for first: where somebody else makes it, the process needs no grant to.
        catalog.load_namespace_properties(namespace)
    except NoSuchNamespaceError:
        try:
            catalog.create_namespace(namespace)
        except (NamespaceAlreadyExistsError, IntegrityError):
            return


def _load(catalog: Catalog, name: tuple[str, str]) -> Table | None:
    try:
        table = catalog.load_table(name)
    except NoSuchTableError:
        return None
    except ValueError as unreadable:
        # The catalog's answer or the metadata file was cut off: not what anybody wrote.
        raise StorageError("read the catalog", str(unreadable)) from unreadable
    if not isinstance(table.io, WarehouseFileIO):
        # A table's own properties may name a class to open its files with; nobody outside chooses what runs here.
        raise StorageError("open the warehouse", f"the table asks for {type(table.io).__name__}")
    require_known(table.metadata)
    return table


def _make(catalog: Catalog, name: tuple[str, str]) -> Table:
    try:
        return untyped(catalog).create_table(name, schema=ROW_SCHEMA, properties=dict(TABLE_PROPERTIES))
    except TableAlreadyExistsError:
        return catalog.load_table(name)
