"""Lets the login that serves into a service's database: made where the cloud leaves that to us, and given its roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from aeterna.postgres.translation import translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.postgres.address import Address
    from aeterna.postgres.database import Database
    from aeterna.postgres.login import Provider

_IAM: Final = "rds_iam"
"""The role of RDS whose members log in by tokens."""
_ENTRA_DATABASE: Final = "postgres"
"""Where Azure has the function that makes a role for an identity."""


def let_in(address: Address, database: Database, *, login: str, provider: Provider, roles: Sequence[str]) -> None:
    """Give a login the roles of a service, as an administrator; doing it again changes nothing.

    On AWS the login is made as a member of ``rds_iam``, and on Azure for the identity of that name. Elsewhere it has to
    be there: Google's are made with the instance, and one with a password is somebody's own.

    Raises what the service calls a refusal of the database.
    """
    conninfo = address.conninfo_now()
    with translated(database.errors), psycopg.connect(conninfo) as connection:
        known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (login,)).fetchone() is not None
        if provider == "aws":
            _make_for_iam(connection, login)
        elif provider == "azure" and not known:
            with psycopg.connect(make_conninfo(conninfo, dbname=_ENTRA_DATABASE)) as entra:
                entra.execute("SELECT pgaadauth_create_principal(%s, false, false)", (login,))
        for role in roles:
            # It serves as the role for the time of a transaction, and may do nothing by itself.
            grant = sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE")
            connection.execute(grant.format(sql.Identifier(role), sql.Identifier(login)))


def _make_for_iam(connection: psycopg.Connection, login: str) -> None:
    """Make the login, unless somebody does so at the same time: several services may share one."""
    make = sql.SQL(
        "DO $$ BEGIN CREATE ROLE {} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )
    connection.execute(make.format(sql.Identifier(login)))
    connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(_IAM), sql.Identifier(login)))
