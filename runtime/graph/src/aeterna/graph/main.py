"""The one place where a graph is put together from its adapters."""

from __future__ import annotations

import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from opentelemetry import trace

from aeterna.graph.adapters.iceberg.catalogs.keyless import refuse_static_keys
from aeterna.graph.adapters.iceberg.catalogs.serving_login import let_in, make_leases
from aeterna.graph.adapters.iceberg.catalogs.sql import postgres_catalog, postgres_engine, sqlite_catalog
from aeterna.graph.adapters.iceberg.durable_io import DURABLE_FILE_IO
from aeterna.graph.adapters.iceberg.stores import IcebergGraphStores
from aeterna.graph.adapters.iceberg.warehouse_io import WAREHOUSE_FILE_IO, file_properties
from aeterna.graph.adapters.identity import token_source
from aeterna.graph.adapters.leases.optimistic import OptimisticWriterLeases
from aeterna.graph.adapters.leases.sql import SqlWriterLeases
from aeterna.graph.adapters.lens.arrow_lens import ArrowLens
from aeterna.graph.adapters.notices.silent import SilentNotices
from aeterna.graph.adapters.telemetry import OpenTelemetryCommitObserver
from aeterna.graph.domain.catalogs import (
    AwsLogin,
    GlueCatalog,
    PostgresCatalog,
    RestCatalog,
    SqliteCatalog,
    catalog_of,
    warehouse_of,
)
from aeterna.graph.domain.limits import Limits
from aeterna.graph.domain.upkeep import BackedUp
from aeterna.graph.usecases.engine import Engine, World
from aeterna.graph.usecases.graphs import Graphs
from aeterna.graph.usecases.past import PastLenses
from aeterna.graph.usecases.upkeep import Maintenance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Engine as Database

    from aeterna.graph.adapters.iceberg.catalogs.opened import OpenCatalog
    from aeterna.graph.adapters.identity import TokenSource
    from aeterna.graph.domain.catalogs import CatalogAddress, Login
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.upkeep import UpkeepPolicy
    from aeterna.graph.ports import CommitObserver, Notices, UpkeepObserver, WriterLeases

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def open_graphs(
    *,
    catalog_uri: str,
    warehouse: str,
    power_safe: bool = True,
    limits: Limits | None = None,
    observer: CommitObserver | None = None,
    upkeep: Callable[[TenantId], None] | None = None,
    environment: Mapping[str, str] = _NOTHING,
) -> Graphs:
    """Open the graphs of all tenants on Iceberg; raise `StorageError` when the catalog cannot be opened.

    ``power_safe`` decides whether an acknowledged session survives the machine or only the process. ``upkeep`` is
    told when a tenant has had enough commits for its small files to be merged. ``environment`` is as for
    `open_catalog`.
    """
    limits = limits or Limits()
    world = World(
        clock=lambda: datetime.now(UTC),
        stopwatch=time.monotonic,
        pause=time.sleep,
        chance=random.SystemRandom().random,
    )
    stores = open_stores(catalog_uri=catalog_uri, warehouse=warehouse, power_safe=power_safe, environment=environment)
    return Graphs(
        Engine(
            stores=stores,
            leases=writer_leases(stores.engine, world),
            notices=notices_of(stores.engine, world),
            new_lens=lambda: ArrowLens(stopwatch=time.monotonic),
            observer=observer or OpenTelemetryCommitObserver(trace.get_tracer("aeterna.graph")),
            executor=ThreadPoolExecutor(limits.commit_threads, thread_name_prefix="graph-commit"),
            past=PastLenses(limits.past_snapshots),
            limits=limits,
            world=world,
            upkeep=upkeep,
        )
    )


def maintenance_of(graphs: Graphs, policy: UpkeepPolicy, observer: UpkeepObserver) -> Maintenance:
    """Return what keeps the graphs' tables fast and small, and their backups up to date."""

    def back_up(tenant: TenantId, *, dry_run: bool) -> BackedUp:
        tags = graphs.of(tenant).history.tags
        made, dropped = tags.back_up(policy.backup_every, policy.backup_keep, dry_run=dry_run)
        return BackedUp(made=tuple(tag.name for tag in made), dropped=tuple(tag.name for tag in dropped))

    engine = graphs.engine
    return Maintenance(
        engine.stores,
        commits=engine.observer,
        observer=observer,
        world=engine.world,
        policy=policy,
        back_up=back_up,
    )


def open_stores(
    *, catalog_uri: str, warehouse: str, power_safe: bool = True, environment: Mapping[str, str] = _NOTHING
) -> IcebergGraphStores:
    """Open the histories of all tenants; takes and raises what `open_catalog` does."""
    return IcebergGraphStores(
        open_catalog(catalog_uri=catalog_uri, warehouse=warehouse, power_safe=power_safe, environment=environment)
    )


def open_catalog(
    *, catalog_uri: str, warehouse: str, power_safe: bool = True, environment: Mapping[str, str] = _NOTHING
) -> OpenCatalog:
    """Open the catalog of all tenants' tables; raise `ValueError` for addresses that are none, or `StorageError`.

    ``docs/guide/graph-catalogs.md`` says what the addresses look like. ``environment`` is that of the process: logins
    on Azure and Google Cloud find the workload's identity there, and a static key in it is refused.
    """
    catalog, files = catalog_of(catalog_uri), warehouse_of(warehouse)
    refuse_static_keys(catalog, files, environment)
    region = catalog.region if isinstance(catalog, GlueCatalog) else None
    file_io = DURABLE_FILE_IO if power_safe else WAREHOUSE_FILE_IO
    properties = file_properties(files, file_io=file_io, region=region)
    return _opened(catalog, properties, _tokens(environment), power_safe=power_safe)


def prepare_catalog(
    *, catalog_uri: str, warehouse: str, serving_login: str | None = None, environment: Mapping[str, str] = _NOTHING
) -> None:
    """Make the tables of a catalog in PostgreSQL as their owner, and let the login that serves use them.

    Doing it again changes nothing. Raises as `open_catalog`, and `ValueError` for a catalog that is no PostgreSQL.
    """
    address, tokens = catalog_of(catalog_uri), _tokens(environment)
    if not isinstance(address, PostgresCatalog):
        raise ValueError("only a catalog in PostgreSQL has tables and logins of its own")  # noqa: TRY004 - as above
    opened = open_catalog(catalog_uri=catalog_uri, warehouse=warehouse, environment=environment)
    try:
        if opened.engine is not None:
            make_leases(opened.engine)
            if serving_login is not None:
                connect = partial(_connect, tokens=tokens)
                let_in(opened.engine, address, login=serving_login, connect=connect)
    finally:
        opened.close()


def _opened(
    address: CatalogAddress,
    files: Mapping[str, str],
    tokens: Callable[[Login], TokenSource | None],
    *,
    power_safe: bool,
) -> OpenCatalog:
    # The libraries of the cloud's catalogs take their time to import, and most processes use neither.
    match address:
        case SqliteCatalog():
            return sqlite_catalog(address, files, power_safe=power_safe)
        case PostgresCatalog():
            return postgres_catalog(address, files, password=_password(address, tokens))
        case RestCatalog():
            from aeterna.graph.adapters.iceberg.catalogs.rest import rest_catalog  # noqa: PLC0415 - see above

            return rest_catalog(address, files, token=tokens(address.login))
        case GlueCatalog():
            from aeterna.graph.adapters.iceberg.catalogs.glue import glue_catalog  # noqa: PLC0415 - see above

            return glue_catalog(address, files)


def _tokens(environment: Mapping[str, str]) -> Callable[[Login], TokenSource | None]:
    return partial(token_source, environment=environment, stopwatch=time.monotonic)


def _connect(address: PostgresCatalog, *, tokens: Callable[[Login], TokenSource | None]) -> Database:
    return postgres_engine(address, password=_password(address, tokens))


def _password(address: PostgresCatalog, tokens: Callable[[Login], TokenSource | None]) -> TokenSource | None:
    if isinstance(address.login, AwsLogin):
        from aeterna.graph.adapters.iceberg.catalogs.rds import rds_password  # noqa: PLC0415 - as in `_opened`

        return rds_password(address, address.login.region)
    return tokens(address.login)


def writer_leases(database: Database | None, world: World) -> WriterLeases:
    """Return leases in the catalog's own database; without one, writers only notice that another was first."""
    if database is None or not SqlWriterLeases.possible(database):
        return OptimisticWriterLeases()
    return SqlWriterLeases(database, holder=str(uuid.uuid4()), world=world)


def notices_of(database: Database | None, world: World) -> Notices:
    """Return notices through the catalog's own database where that is PostgreSQL; elsewhere replicas only poll."""
    if database is None or database.dialect.name != "postgresql":
        return SilentNotices()
    from aeterna.graph.adapters.notices.postgres import PostgresNotices, connections_of  # noqa: PLC0415 - as above

    return PostgresNotices(connections_of(database), world)
