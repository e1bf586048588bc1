"""Catalogs and the tables of tenants in them: where a tenant's history is, and with which settings it is made."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NamespaceAlreadyExistsError, NoSuchTableError, TableAlreadyExistsError
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from aeterna.graph.adapters.iceberg.durable_io import DURABLE_FILE_IO
from aeterna.graph.adapters.iceberg.store import IcebergGraphStore
from aeterna.graph.adapters.iceberg.translation import translated
from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.rows import LAYOUT_VERSION, ROW_SCHEMA

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from pyiceberg.table import Table

    from aeterna.graph.domain.identifiers import TenantId

NAMESPACE: Final = "aeterna"
CATALOG_NAME: Final = "aeterna"  # other engines must use the same name on the same database
TABLE_PROPERTIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "aeterna.layout": str(LAYOUT_VERSION),
        "format-version": "2",
        # Without these the cost of a commit grows with the number of commits before it.
        "commit.manifest-merge.enabled": "true",
        "commit.manifest.min-count-to-merge": "20",
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "5",
        # pyiceberg would retry a refused append by itself, with a seq that another writer has taken by then.
        "commit.retry.num-retries": "0",
        "write.parquet.compression-codec": "zstd",
        # Statistics of long texts cost metadata and prune nothing.
        "write.metadata.metrics.default": "none",
        "write.metadata.metrics.column.seq": "full",
        "write.metadata.metrics.column.record": "full",
    }
)
_BUSY_SECONDS: Final = 10


class IcebergGraphStores:
    """`GraphStores` in one SQL catalog and one warehouse: a table for each tenant."""

    def __init__(self, *, catalog_uri: str, warehouse: str, power_safe: bool) -> None:
        """Open or make the catalog.

        ``catalog_uri`` is a SQLAlchemy address and ``warehouse`` a folder or an object store's address. With
        ``power_safe`` a commit is on the disk before it is acknowledged; without, it survives the process but
        perhaps not the machine.
        """
        properties = {"uri": catalog_uri, "warehouse": warehouse}
        if power_safe:
            properties["py-io-impl"] = DURABLE_FILE_IO
        with translated("open the catalog"):
            if catalog_uri.startswith("sqlite:///"):
                Path(catalog_uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
            self._catalog = _catalog(properties)
            if self._catalog.engine.dialect.name == "sqlite":
                _tune_sqlite(self._catalog, power_safe=power_safe)
            _ensure_namespace(self._catalog)

    def open(self, tenant: TenantId) -> IcebergGraphStore:
        """Give access to one tenant's history; creates nothing before the first append."""
        # "-" is no part of a name in several engines, and "_" no part of a tenant: so this is one to one.
        name = (NAMESPACE, tenant.replace("-", "_"))
        return IcebergGraphStore(load=lambda: _load(self._catalog, name), make=lambda: _make(self._catalog, name))

    def probe(self) -> None:
        """Raise `StorageError` when the catalog cannot be reached."""
        with translated("reach the catalog"), self._catalog.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Release the connections to the catalog."""
        self._catalog.close()
        self._catalog.engine.dispose()


def _catalog(properties: dict[str, str]) -> SqlCatalog:
    try:
        return SqlCatalog(CATALOG_NAME, **properties)
    except OperationalError:
        # Two processes made the catalog's own tables at once; for the second they are simply there.
        return SqlCatalog(CATALOG_NAME, **properties)


def _tune_sqlite(catalog: SqlCatalog, *, power_safe: bool) -> None:
    """Let readers go on during a commit, wait for other writers, and write commits through."""
    synchronous = "FULL" if power_safe else "NORMAL"

    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")

    event.listen(catalog.engine, "connect", on_connect)
    catalog.engine.dispose()  # the connections that were made before know nothing of this


def _ensure_namespace(catalog: SqlCatalog) -> None:
    try:
        catalog.create_namespace(NAMESPACE)
    except (NamespaceAlreadyExistsError, IntegrityError):
        return


def _load(catalog: SqlCatalog, name: tuple[str, str]) -> Table | None:
    try:
        return catalog.load_table(name)
    except NoSuchTableError:
        return None


def _make(catalog: SqlCatalog, name: tuple[str, str]) -> Table:
    try:
        return untyped(catalog).create_table(name, schema=ROW_SCHEMA, properties=dict(TABLE_PROPERTIES))
    except TableAlreadyExistsError:
        return catalog.load_table(name)
