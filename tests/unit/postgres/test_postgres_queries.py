"""The statements are files, and the files are read exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.policies.adapters.postgres import database as policies
from aeterna.postgres.pool import SESSION
from aeterna.postgres.queries import load_queries
from aeterna.threads.adapters import database as threads
from fixtures.workspace import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = sorted(ROOT.glob("runtime/*/src/**/sql"), key=str)
READ = [folder for folder in FOLDERS if folder.parent.name != "migrations"]


def test_a_statement_is_what_stands_between_two_names() -> None:
    assert threads.queries("session.sql")["enter_tenant"].startswith(b"SELECT set_config('aeterna.tenant'")
    assert policies.queries("audit.sql")["read_head"] == b"SELECT seq, hash FROM policies.audit_head"
    assert set(SESSION) == {"configure_connection", "unbound_role"}


@pytest.mark.parametrize("folder", READ, ids=lambda folder: str(folder.relative_to(ROOT / "runtime")))
def test_no_statement_has_a_comment_or_a_second_statement(folder: Path) -> None:
    """A pipeline takes one statement at a time, and comments would be sent each time."""
    files = [path.name for path in folder.glob("*.sql")]

    assert files
    assert [name for name, text in load_queries(folder, *files).items() if b"--" in text or b";" in text] == []
