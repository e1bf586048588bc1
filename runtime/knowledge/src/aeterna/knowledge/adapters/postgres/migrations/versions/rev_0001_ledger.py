"""Documents, what they contribute, the outbox towards the graph, ingestions, communities and reports."""

from __future__ import annotations

from aeterna.postgres.revisions import run_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables, the role and its rights."""
    run_file(__file__, "0001_ledger.up.sql", "0001_communities.up.sql", "0001_rights.up.sql")


def downgrade() -> None:
    """Drop the tables and everything in them."""
    run_file(__file__, "0001_ledger.down.sql")
