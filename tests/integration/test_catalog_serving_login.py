"""A graph is served from a catalog in PostgreSQL by a login that owns nothing there: its tables are made by another."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from aeterna.api.main import main
from aeterna.graph.adapters.iceberg.catalogs.serving_login import let_in, make_leases
from aeterna.graph.adapters.iceberg.catalogs.sql import postgres_catalog, postgres_engine
from aeterna.graph.domain.catalogs import AzureLogin, PostgresCatalog, catalog_of
from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.domain.identifiers import TenantId
from aeterna.graph.errors import StorageError
from aeterna.graph.main import open_graphs

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from sqlalchemy import Engine

    from aeterna.graph.usecases.graphs import Graphs
    from fixtures.fix_postgres import Postgres

OWNER = "postgres"


def address_of(database: str, user: str) -> str:
    """Return a catalog's address as the platform composes it, with the login at its end."""
    info = conninfo_to_dict(database)
    return f"postgresql:///{info['dbname']}?host={quote(str(info['host']))}&port={info['port']}&user={user}"


@contextmanager
def served(database: str, folder: Path, login: str) -> Generator[Graphs]:
    graphs = open_graphs(catalog_uri=address_of(database, login), warehouse=str(folder))
    try:
        yield graphs
    finally:
        graphs.close()


@pytest.fixture
def _job(empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the command what the platform's job gives it."""
    monkeypatch.setenv("AETERNA_API_CATALOG_URI", address_of(empty_database, OWNER))
    monkeypatch.setenv("AETERNA_API_WAREHOUSE", str(tmp_path))


@pytest.mark.usefixtures("_job")
def test_a_login_that_made_no_table_commits_and_reads_after_the_migration_and_not_before(
    postgres: Postgres, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.execute(sql.SQL("CREATE ROLE graph_server LOGIN"))
    monkeypatch.setenv("AETERNA_API_SERVING_LOGIN", "graph_server")
    with pytest.raises(StorageError) as refused, served(empty_database, tmp_path, "graph_server"):
        pass
    assert "permission denied" in str(refused.value.reason)

    main(["migrate"])
    main(["migrate"])

    with served(empty_database, tmp_path, "graph_server") as graphs:
        graph = graphs.of(TenantId("acme"))
        graph.commit(session_of("first", subject="ada", nodes=[node_of("a", "Thing", {})]))
        assert graph.shown_seq == 1


@pytest.mark.usefixtures("_job")
def test_a_login_that_nobody_made_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AETERNA_API_SERVING_LOGIN", "nobody")

    with pytest.raises(SystemExit):
        main(["migrate"])

    assert 'role "nobody" does not exist' in capsys.readouterr().err


def test_a_catalog_of_another_kind_has_nothing_to_migrate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AETERNA_API_CATALOG_URI", f"sqlite:///{tmp_path}/catalog.db")
    monkeypatch.setenv("AETERNA_API_WAREHOUSE", str(tmp_path))

    with pytest.raises(SystemExit):
        main(["migrate"])

    assert "AETERNA_API_CATALOG_URI: only a catalog in PostgreSQL" in capsys.readouterr().err


def test_on_azure_the_login_is_made_for_the_identity_of_its_name_in_the_one_database_that_can(
    postgres: Postgres, empty_database: str, tmp_path: Path
) -> None:
    postgres.execute(
        sql.SQL(
            "CREATE OR REPLACE FUNCTION pgaadauth_create_principal(name text, admin boolean, mfa boolean) RETURNS text "
            "LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('CREATE ROLE %I LOGIN', name); RETURN name; END $$"
        )
    )
    owner = catalog_of(address_of(empty_database, OWNER))
    assert isinstance(owner, PostgresCatalog)
    opened = postgres_catalog(owner, {}, password=None)
    assert opened.engine is not None
    make_leases(opened.engine)

    def connect(other: PostgresCatalog) -> Engine:
        return postgres_engine(other, password=None)

    for _ in range(2):
        let_in(opened.engine, replace(owner, login=AzureLogin(scope="s")), login="prod-graph-api", connect=connect)
    opened.close()

    with served(empty_database, tmp_path, "prod-graph-api") as graphs:
        graphs.probe()
