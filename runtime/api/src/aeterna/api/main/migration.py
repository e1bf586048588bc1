"""Composes what is done before a release serves: a catalog in PostgreSQL gets its tables, and its login."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from aeterna.api.settings import workload_environment
from aeterna.graph.main import prepare_catalog
from aeterna.service.errors import StartError

if TYPE_CHECKING:
    from aeterna.api.settings import MigrationSettings

_PROGRAM: Final = "aeterna-api"


def migrate(settings: MigrationSettings) -> None:
    """Prepare the catalog as its owner, and say so in one line; raise `StorageError` when it cannot be."""
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
