"""Says whether a database is fit for this release, without importing what migrates it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg

from aeterna.policies.adapters.postgres.queries import load_queries
from aeterna.policies.adapters.postgres.translate import translated
from aeterna.policies.errors import (
    DatabaseUnreachableError,
    RoleUnavailableError,
    RoleUnboundError,
    SchemaMissingError,
    SchemaOutdatedError,
)

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

    from aeterna.policies.adapters.postgres.pool import Limits

# The newest revision in ``migrations``; a test holds the two together.
HEAD: Final = "0001"


def require_schema(dsn: str, limits: Limits) -> None:
    """Return when the service may start on this database, or raise the `DatabaseUnfitError` that says why not.

    Revisions are numbers in order. A newer one than ours is accepted, because migrations run before the release that
    needs them and never break the release before.
    """
    queries = load_queries("session.sql")
    with connected(dsn, limits.connect.total_seconds()) as connection, translated():
        try:
            connection.execute(queries["configure_connection"], limits.parameters())
            found = connection.execute(queries["schema_version"]).fetchone()
        except (psycopg.errors.InvalidParameterValue, psycopg.errors.UndefinedTable) as exc:
            raise SchemaMissingError(HEAD) from exc
        except psycopg.errors.InsufficientPrivilege as exc:
            raise RoleUnavailableError(connection.info.user) from exc
        if found is None:
            raise SchemaMissingError(HEAD)
        if int(found[0]) < int(HEAD):
            raise SchemaOutdatedError(found[0], HEAD)
        if connection.execute(queries["unbound_role"]).fetchone() != (False,):
            raise RoleUnboundError


def connected(dsn: str, seconds: float) -> psycopg.Connection[TupleRow]:
    """Return a connection, or raise `DatabaseUnreachableError` with what the client library says of it."""
    try:
        return psycopg.connect(dsn, connect_timeout=max(2, round(seconds)))
    except psycopg.Error as exc:
        raise DatabaseUnreachableError(str(exc)) from exc
