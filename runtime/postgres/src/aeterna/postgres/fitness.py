"""Says whether a database is fit for a release of a service, without importing what migrates it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from aeterna.postgres.address import Address
from aeterna.postgres.errors import OutdatedError
from aeterna.postgres.login import TokenUnavailableError
from aeterna.postgres.pool import SESSION
from aeterna.postgres.translation import translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg.rows import TupleRow

    from aeterna.postgres.database import Database
    from aeterna.postgres.pool import Limits


def require_schema(dsn: str | Address, limits: Limits, database: Database) -> None:
    """Return when the service may start on this database, or raise the `UnfitError` that says why not.

    Revisions are numbers in order. A newer one than ours is accepted, because migrations run before the release that
    needs them and never break the release before.
    """
    errors = database.errors
    version = sql.SQL("SELECT version_num FROM {}.schema_version").format(sql.Identifier(database.names.schema))
    with _connected(dsn, limits, database) as connection, translated(errors):
        try:
            connection.execute(SESSION["configure_connection"], limits.parameters(database.names))
            found = connection.execute(version).fetchone()
        except (psycopg.errors.InvalidParameterValue, psycopg.errors.UndefinedTable) as exc:
            raise errors.missing(database.head) from exc
        except psycopg.errors.InsufficientPrivilege as exc:
            raise errors.role_refused(connection.info.user) from exc
        if found is None:
            raise errors.missing(database.head)
        if int(found[0]) < int(database.head):
            raise errors.outdated(found[0], database.head)
        if connection.execute(SESSION["unbound_role"]).fetchone() != (False,):
            raise errors.role_free()


def prepare_schema(dsn: str | Address, limits: Limits, database: Database, migrate: Callable[[], None] | None) -> None:
    """Do as `require_schema`, but let ``migrate``, if it is given, bring an older or missing schema forward first."""
    try:
        require_schema(dsn, limits, database)
    except OutdatedError:
        if migrate is None:
            raise
        migrate()
        require_schema(dsn, limits, database)


def _connected(dsn: str | Address, limits: Limits, database: Database) -> psycopg.Connection[TupleRow]:
    """Return a connection, or raise `NotReachedError` with what the client library says of it."""
    address = Address(dsn) if isinstance(dsn, str) else dsn
    try:
        return psycopg.connect(address.conninfo_now(), connect_timeout=max(2, round(limits.connect.total_seconds())))
    except TokenUnavailableError as exc:
        raise database.errors.login_failed(exc.provider, exc.reason) from exc
    except psycopg.Error as exc:
        raise database.errors.not_reached(str(exc)) from exc
