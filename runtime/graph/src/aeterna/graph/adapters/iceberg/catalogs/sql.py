"""Catalogs in SQL databases: SQLite on a disk, and PostgreSQL for several machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyiceberg.typedef import EMPTY_DICT
from sqlalchemy import URL, create_engine, event
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from typing_extensions import override

from aeterna.graph.adapters.iceberg.catalogs.opened import CATALOG_NAME, OpenCatalog
from aeterna.graph.adapters.iceberg.transaction import SharingSqlCatalog
from aeterna.graph.adapters.iceberg.translation import translated
from aeterna.graph.adapters.iceberg.warehouse_io import without_class

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from pyiceberg.io import FileIO
    from pyiceberg.typedef import Properties
    from sqlalchemy import Engine

    from aeterna.graph.adapters.identity import TokenSource
    from aeterna.graph.domain.catalogs import PostgresCatalog, SqliteCatalog

_BUSY_SECONDS: Final = 10
# A statement that waits longer than a request may is a server in trouble; better an error than a thread that hangs.
_POSTGRES_LIMITS: Final = "-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=10s"


class PreparedSqlCatalog(SharingSqlCatalog):
    """A catalog on an engine that was prepared before its first connection."""

    def __init__(self, prepare: Callable[[Engine], None], properties: Mapping[str, str]) -> None:
        """Connect, and make the catalog's own tables where there are none."""
        self._prepare = prepare
        super().__init__(CATALOG_NAME, **properties)

    @override
    def _init_catalog(self) -> None:
        self._prepare(self.engine)
        try:
            try:
                super()._init_catalog()
            except (OperationalError, ProgrammingError, IntegrityError):
                # Two processes made the catalog's own tables at once; for the second they are simply there.
                super()._init_catalog()
        except Exception:
            # Nobody gets to close a catalog that could not be opened.
            self.engine.dispose()
            raise

    @override
    def _load_file_io(self, properties: Properties = EMPTY_DICT, location: str | None = None) -> FileIO:
        return super()._load_file_io(without_class(properties), location)


def sqlite_catalog(address: SqliteCatalog, files: Mapping[str, str], *, power_safe: bool) -> OpenCatalog:
    """Open or make the database; with ``power_safe`` a commit is on the disk before it is acknowledged."""
    synchronous = "FULL" if power_safe else "NORMAL"

    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        # Readers go on during a commit, and writers wait for each other.
        connection.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")

    with translated("open the catalog"):
        address.path.parent.mkdir(parents=True, exist_ok=True)
        uri = URL.create("sqlite", database=str(address.path))
        return _opened(uri, files, address.namespace, lambda engine: event.listen(engine, "connect", on_connect))


def postgres_catalog(
    address: PostgresCatalog, files: Mapping[str, str], *, password: TokenSource | None
) -> OpenCatalog:
    """Open the database; ``password`` is asked at each new connection, so that a short-lived one may be used."""
    # A connection may have died with the server before it; pinging costs a round trip and saves a failed commit.
    properties = {**files, "pool_pre_ping": "true"}
    with translated("open the catalog"):
        return _opened(
            _postgres_url(address), properties, address.namespace, lambda engine: _log_in_with(engine, password)
        )


def postgres_engine(address: PostgresCatalog, *, password: TokenSource | None) -> Engine:
    """Return connections to the database as it is, whether a catalog is in it or not."""
    engine = create_engine(_postgres_url(address))
    _log_in_with(engine, password)
    return engine


def _postgres_url(address: PostgresCatalog) -> URL:
    options = {
        "host": address.host,
        "port": str(address.port),
        "sslmode": address.tls,
        "connect_timeout": "5",
        "application_name": "aeterna-graph",
        "options": _POSTGRES_LIMITS,
        **({"sslrootcert": address.tls_roots} if address.tls_roots else {}),
    }
    return URL.create("postgresql+psycopg", username=address.user, database=address.database, query=options)


def _log_in_with(engine: Engine, password: TokenSource | None) -> None:
    def on_connect(_dialect: object, _record: object, _arguments: object, options: dict[str, object]) -> None:
        if password is not None:
            options["password"] = password()

    event.listen(engine, "do_connect", on_connect)


def _opened(uri: URL, properties: Mapping[str, str], namespace: str, prepare: Callable[[Engine], None]) -> OpenCatalog:
    catalog = PreparedSqlCatalog(prepare, {**properties, "uri": uri.render_as_string(hide_password=False)})
    return OpenCatalog(catalog=catalog, close=catalog.close, namespace=namespace, engine=catalog.engine)
