"""Whoever reaches the database directly: what they cannot do, and what is noticed when they can do everything."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from fixtures.fix_policies import ACME, GLOBEX, MOMENT, author, draft

if TYPE_CHECKING:
    from aeterna.policies.ports import Audit, Versions

pytestmark = pytest.mark.anyio

TABLES = ("versions", "deployments", "audit")
CHANGES = [
    f"{what} policies.{table} {how}"
    for table in TABLES
    for what, how in (("UPDATE", "SET tenant = 'x'"), ("DELETE FROM", ""), ("TRUNCATE", "CASCADE"))
]


@pytest.fixture
async def written(postgres_versions: tuple[Versions, Audit]) -> Audit:
    """Return the audit of two tenants' versions, one of them deployed."""
    versions, audit = postgres_versions
    await versions.write(draft("a", scope=ACME))
    await versions.write(draft("b", scope=GLOBEX))
    await versions.deploy(1, by=author(ACME), at=MOMENT)
    return audit


def as_service(dsn: str, *, tenant: str = "", reach: str = "") -> psycopg.Connection[tuple[object, ...]]:
    """Return a connection that acts as the service's role does."""
    connection = psycopg.connect(dsn, autocommit=True)
    connection.execute("SET ROLE aeterna_policies")
    connection.execute(
        "SELECT set_config('aeterna.tenant', %s, false), set_config('aeterna.reach', %s, false)", (tenant, reach)
    )
    return connection


def tenants_seen(connection: psycopg.Connection[tuple[object, ...]]) -> dict[str, set[object]]:
    """Return whose rows each table shows."""
    statement = sql.SQL("SELECT tenant FROM policies.{}")
    return {table: {row[0] for row in connection.execute(statement.format(sql.Identifier(table)))} for table in TABLES}


@pytest.mark.usefixtures("written")
async def test_without_a_tenant_nothing_is_seen(policies_database: str) -> None:
    with as_service(policies_database) as connection:
        assert tenants_seen(connection) == {"versions": set(), "deployments": set(), "audit": set()}


@pytest.mark.usefixtures("written")
async def test_a_tenant_sees_its_own_rows_alone(policies_database: str) -> None:
    with as_service(policies_database, tenant="acme") as connection:
        assert tenants_seen(connection) == {"versions": {"acme"}, "deployments": {"acme"}, "audit": {"acme"}}


@pytest.mark.usefixtures("written")
async def test_nobody_writes_in_the_name_of_another_tenant(policies_database: str) -> None:
    statement = (
        "INSERT INTO policies.audit (seq, at, tenant, act, record, hash) "
        "VALUES (99, now(), 'globex', 'x', '{}', repeat('0', 64))"
    )
    with (
        as_service(policies_database, tenant="acme", reach="all") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
    ):
        connection.execute(statement)


@pytest.mark.usefixtures("written")
async def test_the_service_can_change_nothing_that_was_written(policies_database: str) -> None:
    """A hole in the service opens no way into the past."""
    with as_service(policies_database, tenant="acme", reach="all") as connection:
        for statement in CHANGES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


@pytest.mark.usefixtures("written")
async def test_not_even_the_owner_changes_it_by_accident(policies_database: str) -> None:
    with psycopg.connect(policies_database, autocommit=True) as connection:
        for statement in CHANGES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only grows"):
                connection.execute(statement.encode())


@pytest.mark.usefixtures("written")
async def test_what_is_young_is_not_cut_whoever_asks(policies_database: str) -> None:
    """The promise of 90 days is the database's, not the caller's."""
    with (
        as_service(policies_database, tenant="platform", reach="all") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="90 days"),
    ):
        connection.execute("SELECT policies.cut_audit(1)")


@pytest.mark.usefixtures("written")
async def test_the_way_to_cut_is_not_open_to_everybody(policies_database: str) -> None:
    with psycopg.connect(policies_database) as connection:
        connection.execute("CREATE ROLE somebody_else NOLOGIN")
        connection.execute("GRANT USAGE ON SCHEMA policies TO somebody_else")
        connection.execute("SET ROLE somebody_else")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT policies.cut_audit(1)")


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE policies.audit SET record = replace(record::text, 'ada', 'eve')::json WHERE seq = 2", 2),
        ("UPDATE policies.audit SET hash = repeat('0', 64) WHERE seq = 2", 2),
        ("UPDATE policies.audit SET tenant = 'globex' WHERE seq = 1", 1),
        ("UPDATE policies.audit SET at = at - interval '1 day' WHERE seq = 3", 3),
        ("DELETE FROM policies.audit WHERE seq = 2", 2),
        ("DELETE FROM policies.audit WHERE seq = 1", 1),
        ("DELETE FROM policies.audit WHERE seq = 3", 3),
        ("DELETE FROM policies.audit", 1),
        ("UPDATE policies.audit_head SET seq = 2", 3),
        ("UPDATE policies.audit_head SET hash = repeat('0', 64)", 3),
    ],
)
async def test_a_superuser_who_switches_everything_off_is_noticed(
    written: Audit, policies_database: str, statement: str, broken_at: int
) -> None:
    assert (await written.verify()).broken_at is None
    with psycopg.connect(policies_database) as connection:
        connection.execute("SET session_replication_role = replica")  # triggers and foreign keys are off
        connection.execute(statement.encode())

    assert (await written.verify()).broken_at == broken_at


async def test_a_cut_cannot_hide_what_came_after_it(
    postgres_versions: tuple[Versions, Audit], policies_database: str
) -> None:
    versions, audit = postgres_versions
    for day in range(4):
        await versions.write(draft(str(day), at=MOMENT - timedelta(days=200 - day)))
    await versions.write(draft("new"))
    await audit.cut(MOMENT - timedelta(days=150), at=MOMENT)
    with psycopg.connect(policies_database) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM policies.audit WHERE seq = 5")

    assert (await audit.verify()).broken_at == 5
