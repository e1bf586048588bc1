"""The login that serves is let in by whoever migrates, on every cloud in that cloud's own way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from aeterna.postgres.address import Address
from aeterna.postgres.fitness import require_schema
from aeterna.postgres.pool import Limits
from aeterna.postgres.serving_login import let_in
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.errors import ThreadsError

if TYPE_CHECKING:
    from aeterna.postgres.login import Provider
    from fixtures.fix_postgres import Postgres

ROLES = (DATABASE.names.role, "aeterna_threads_jobs")


def admit(postgres: Postgres, database: str, login: str, provider: Provider) -> None:
    let_in(Address(database), DATABASE, login=login, provider=provider, roles=ROLES)


def dsn_of(database: str, login: str) -> str:
    return make_conninfo(database, user=login)


def test_a_login_that_is_there_may_serve_afterwards_and_not_before(postgres: Postgres, database: str) -> None:
    postgres.execute(sql.SQL("CREATE ROLE plain_server LOGIN"))
    with pytest.raises(ThreadsError):
        require_schema(dsn_of(database, "plain_server"), Limits(), DATABASE)

    admit(postgres, database, "plain_server", "password")

    require_schema(dsn_of(database, "plain_server"), Limits(), DATABASE)


def test_on_aws_it_is_made_as_one_that_logs_in_by_tokens_and_twice_is_as_once(
    postgres: Postgres, database: str
) -> None:
    postgres.execute(sql.SQL("CREATE ROLE rds_iam NOLOGIN"))

    admit(postgres, database, "iam_server", "aws")
    admit(postgres, database, "iam_server", "aws")

    require_schema(dsn_of(database, "iam_server"), Limits(), DATABASE)
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT pg_has_role('iam_server', 'rds_iam', 'member')").fetchone()
    assert found == (True,)


def test_on_azure_it_is_made_for_the_identity_of_its_name_in_the_one_database_that_can(
    postgres: Postgres, database: str
) -> None:
    postgres.execute(
        sql.SQL(
            "CREATE OR REPLACE FUNCTION pgaadauth_create_principal(name text, admin boolean, mfa boolean) RETURNS text "
            "LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('CREATE ROLE %I LOGIN', name); RETURN name; END $$"
        )
    )

    admit(postgres, database, "prod-threads", "azure")
    admit(postgres, database, "prod-threads", "azure")

    require_schema(dsn_of(database, "prod-threads"), Limits(), DATABASE)


def test_on_google_cloud_one_that_the_instance_does_not_have_is_refused(postgres: Postgres, database: str) -> None:
    with pytest.raises(ThreadsError):
        admit(postgres, database, "nobody@acme.iam", "gcp")
