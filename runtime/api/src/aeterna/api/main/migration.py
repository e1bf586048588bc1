"""Composes what is done before a release serves: a catalog in PostgreSQL and the ledger get their tables and logins."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from aeterna.api.main.knowledge import ledger_of
from aeterna.api.settings import workload_environment
from aeterna.graph.domain.catalogs import PostgresCatalog, catalog_of
from aeterna.graph.main import prepare_catalog
from aeterna.knowledge.main import migrate_ledger
from aeterna.service.errors import StartError

if TYPE_CHECKING:
    from aeterna.api.settings import MigrationSettings

_PROGRAM: Final = "aeterna-api"


def migrate(settings: MigrationSettings) -> None:
    """Prepare the catalog, the ledger of knowledge or both as their owners, and say so in one line each.

    Raise `StorageError` or `DatabaseUnfitError` when that cannot be.
    """
    ledger = ledger_of(settings)
    if ledger is None or isinstance(catalog_of(settings.catalog_uri), PostgresCatalog):
        _prepare_catalog(settings)
    if ledger is not None:
        sys.stdout.write(f"{_PROGRAM}: {migrate_ledger(ledger)}\n")


def _prepare_catalog(settings: MigrationSettings) -> None:
    try:
        prepare_catalog(
            catalog_uri=settings.catalog_uri,
            warehouse=settings.warehouse,
            serving_login=settings.serving_login,
            environment=workload_environment(),
        )
    except ValueError as refusal:
        raise StartError(f"AETERNA_API_CATALOG_URI: {refusal}") from refusal
    served = "" if settings.serving_login is None else f", {settings.serving_login} may serve"
    sys.stdout.write(f"{_PROGRAM}: the catalog has its tables{served}\n")
