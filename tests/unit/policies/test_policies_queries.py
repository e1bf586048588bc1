"""What the administration says to its database only ever adds."""

from __future__ import annotations

from aeterna.policies.adapters.postgres.database import queries


def test_no_statement_changes_or_deletes_what_was_written() -> None:
    """Only the end of the chain moves; versions, deployments and records are written once."""
    statements = queries("session.sql", "versions.sql", "audit.sql")
    changing = [name for name, text in statements.items() if b"UPDATE" in text or b"DELETE" in text]

    assert changing == ["lock_head", "move_head"]
