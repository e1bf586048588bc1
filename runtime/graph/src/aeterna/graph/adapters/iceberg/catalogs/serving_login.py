"""Makes the tables of a catalog in PostgreSQL as their owner, and lets the login that serves use them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pyiceberg.catalog.sql import IcebergNamespaceProperties, IcebergTables
from sqlalchemy import text

from aeterna.graph.adapters.iceberg.translation import translated
from aeterna.graph.adapters.leases.rows import TABLE, LeaseRows
from aeterna.graph.domain.catalogs import AzureLogin

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from aeterna.graph.domain.catalogs import PostgresCatalog

TABLES: Final = (IcebergTables.__tablename__, IcebergNamespaceProperties.__tablename__, TABLE)
"""All that a catalog has in its database."""
_ENTRA_DATABASE: Final = "postgres"
"""Where Azure has the function that makes a role for an identity."""


def make_leases(catalog: Engine) -> None:
    """Make the table of the writers' leases, beside those of the catalog; one that is there stays."""
    LeaseRows(catalog, holder="").create()


def let_in(
    catalog: Engine, address: PostgresCatalog, *, login: str, connect: Callable[[PostgresCatalog], Engine]
) -> None:
    """Give a login the rows of the catalog's tables, as their owner; doing it again changes nothing.

    On Azure the login is made, for the identity of that name. Elsewhere it has to be there. ``connect`` opens another
    database of the same server. Raises `StorageError`.
    """
    with translated("let in the login that serves"), catalog.begin() as connection:
        known = connection.scalar(text("SELECT true FROM pg_roles WHERE rolname = :login"), {"login": login})
        if isinstance(address.login, AzureLogin) and not known:
            _make_for_entra(connect(replace(address, database=_ENTRA_DATABASE)), login)
        # A statement that changes rights takes no parameters, so that the server itself quotes the name.
        quoted = connection.scalar(text("SELECT quote_ident(:login)"), {"login": login})
        tables = ", ".join(TABLES)
        connection.exec_driver_sql(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {quoted}")


def _make_for_entra(server: Engine, login: str) -> None:
    try:
        with server.begin() as connection:
            connection.execute(text("SELECT pgaadauth_create_principal(:login, false, false)"), {"login": login})
    finally:
        server.dispose()
