"""Tasks, their runners and the ledger of their side effects; the log in partitions."""

from __future__ import annotations

from aeterna.postgres.revisions import run_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """See the file."""
    run_file(__file__, "0002_tasks.up.sql")


def downgrade() -> None:
    """See the file."""
    run_file(__file__, "0002_tasks.down.sql")
