"""The ledger of knowledge is made by its owner's command, and served by a login that owns nothing."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from aeterna.api.main import main
from aeterna.api.main.knowledge import ledger_of, limits_of
from aeterna.knowledge.errors import SchemaMissingError
from aeterna.knowledge.main import prepare_ledger
from fixtures.fix_graph_api import api_settings, graph_client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aeterna.service.testing import FakeDecisionPoint
    from fixtures.fix_postgres import Postgres

LOGIN = "knowledge_reader"


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """Return the DSN of an empty database, which a login exists for that owns nothing."""
    name = postgres.create()
    postgres.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(LOGIN)))
    yield postgres.dsn(name)
    postgres.drop(name)
    postgres.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(LOGIN)))


def test_the_command_makes_the_schema_lets_in_who_serves_and_does_nothing_twice(
    database: str,
    tmp_path: Path,
    decisions: FakeDecisionPoint,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AETERNA_API_CATALOG_URI", f"sqlite:///{tmp_path}/catalog.db")
    monkeypatch.setenv("AETERNA_API_WAREHOUSE", str(tmp_path / "warehouse"))
    monkeypatch.setenv("AETERNA_API_KNOWLEDGE_DSN", database)
    monkeypatch.setenv("AETERNA_API_KNOWLEDGE_SERVING_LOGIN", LOGIN)

    main(["migrate"])
    main(["migrate"])

    first, second = io.StringIO(capsys.readouterr().out)
    newest = first.partition(" -> ")[2].partition(",")[0]
    assert first == f"aeterna-api: the schema of knowledge none -> {newest}, {LOGIN} may serve\n"
    assert second == f"aeterna-api: the schema of knowledge {newest} -> {newest}, {LOGIN} may serve\n"
    served = make_conninfo(database, user=LOGIN)
    with graph_client(tmp_path, decisions, knowledge_dsn=served) as api:
        assert api.put("/api/v1/knowledge/documents/a.md", content=b"# A\n\nB.\n").json()["visible"]


def test_a_process_does_not_start_on_a_database_that_nobody_migrated(database: str, tmp_path: Path) -> None:
    settings = api_settings(tmp_path, knowledge_dsn=database)
    ledger = ledger_of(settings)
    assert ledger is not None

    with pytest.raises(SchemaMissingError, match=r"python -m aeterna\.api migrate.*AETERNA_API_KNOWLEDGE_MIGRATE"):
        prepare_ledger(ledger, limits_of(settings), migrate=False)


def test_a_process_may_migrate_the_database_that_it_starts_on(database: str, tmp_path: Path) -> None:
    settings = api_settings(tmp_path, knowledge_dsn=database)
    ledger = ledger_of(settings)
    assert ledger is not None
    prepare_ledger(ledger, limits_of(settings), migrate=True)

    prepare_ledger(ledger, limits_of(settings), migrate=False)
