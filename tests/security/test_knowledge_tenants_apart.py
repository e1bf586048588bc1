"""Every table of the ledger keeps tenants apart, whoever adds one, and the role that serves owns none of them."""

from __future__ import annotations

from typing import Final, LiteralString

import psycopg
import pytest
from psycopg import errors, sql

from aeterna.graph.domain.identifiers import TenantId
from aeterna.knowledge.adapters.postgres.database import DATABASE
from aeterna.knowledge.domain.entries import Author, Change
from aeterna.postgres.pool import SESSION, Limits
from fixtures.fix_knowledge import ACME, MOMENT, PostgresWhole, record

# Everything but the one row that names the revision.
TABLES: Final[LiteralString] = """
SELECT relname::text,
       relrowsecurity AND relforcerowsecurity AND EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid),
       pg_get_userbyid(relowner)::text
FROM pg_class
WHERE relnamespace = 'knowledge'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') AND relname <> 'schema_version'
"""
# Of acme, which the session is not of.
ROW: Final[LiteralString] = "INSERT INTO knowledge.ledgers (tenant) VALUES ('acme')"


def served(dsn: str, tenant: str | None) -> psycopg.Connection[tuple[object, ...]]:
    """Return a connection that acts as the ledger's role, in a transaction of a tenant or of none."""
    connection = psycopg.connect(dsn)
    connection.execute(SESSION["configure_connection"], Limits().parameters(DATABASE.names))
    connection.commit()
    if tenant is not None:
        connection.execute("SELECT set_config('aeterna.tenant', %s, true)", [tenant])
    return connection


def tables(dsn: str) -> dict[str, tuple[bool, str]]:
    """Return of each table whether it is bound by row-level security, and whose it is."""
    with psycopg.connect(dsn) as owner:
        return {name: (bound, whose) for name, bound, whose in owner.execute(TABLES).fetchall()}


def test_every_table_is_bound_and_not_the_roles_own(knowledge_database: str) -> None:
    found = tables(knowledge_database)

    assert len(found) >= 12
    assert {name for name, (bound, whose) in found.items() if not bound or whose == DATABASE.names.role} == set()


@pytest.mark.anyio
@pytest.mark.parametrize("tenant", [None, "globex"])
async def test_nobody_but_the_tenant_sees_a_row_of_any_table(
    postgres_ledger: PostgresWhole, knowledge_database: str, tenant: str | None
) -> None:
    """A transaction that forgets to say whose it is sees as little as another tenant's."""
    author = Author(subject="ada", at=MOMENT)
    await postgres_ledger.change(ACME, Change(author=author, put=(record("one", "x", edges="a b"),)))

    seen: dict[str, int] = {}
    for whose in (tenant, ACME):
        with served(knowledge_database, whose) as connection:
            for name in tables(knowledge_database):
                query = sql.SQL("SELECT count(*) FROM knowledge.{}").format(sql.Identifier(name))
                ((count,),) = connection.execute(query).fetchall()
                assert isinstance(count, int)
                seen[f"{whose} {name}"] = count

    assert {name for name, count in seen.items() if count and not name.startswith("acme ")} == set()
    assert {"acme documents", "acme node_parts", "acme edge_parts", "acme outbox"} <= {n for n, c in seen.items() if c}


@pytest.mark.parametrize("tenant", [None, "globex"])
def test_nobody_writes_a_row_of_another_tenant(knowledge_database: str, tenant: str | None) -> None:
    with served(knowledge_database, tenant) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(ROW)


@pytest.mark.anyio
async def test_tenants_may_have_documents_of_the_same_name(postgres_ledger: PostgresWhole) -> None:
    author, globex = Author(subject="ada", at=MOMENT), TenantId("globex")
    await postgres_ledger.change(ACME, Change(author=author, put=(record("one", "of acme"),)))

    await postgres_ledger.change(globex, Change(author=author, put=(record("one", "of globex"),)))

    texts = [(await postgres_ledger.document(tenant, record("one", "").document)).text for tenant in (ACME, globex)]
    assert texts == ["of acme", "of globex"]
