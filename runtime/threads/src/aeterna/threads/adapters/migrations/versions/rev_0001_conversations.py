"""Threads and messages, apart by tenant."""

from __future__ import annotations

from aeterna.threads.adapters.migrations.statements import run

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables, the role and its rights."""
    run("0001_conversations.up.sql")


def downgrade() -> None:
    """Drop the tables and everything in them."""
    run("0001_conversations.down.sql")
