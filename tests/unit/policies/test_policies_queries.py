"""The statements are files, and the files are read exactly."""

from __future__ import annotations

from pathlib import Path

from aeterna.policies.adapters.postgres import queries
from aeterna.policies.adapters.postgres.queries import load_queries

FILES = sorted(path.name for path in (Path(queries.__file__).parent / "sql").glob("*.sql"))


def test_no_statement_has_a_comment_or_a_second_statement() -> None:
    assert [name for name, text in load_queries(*FILES).items() if b"--" in text or b";" in text] == []


def test_no_statement_changes_or_deletes_what_was_written() -> None:
    """Only the end of the chain moves; versions, deployments and records are written once."""
    changing = [name for name, text in load_queries(*FILES).items() if b"UPDATE" in text or b"DELETE" in text]

    assert changing == ["lock_head", "move_head"]
