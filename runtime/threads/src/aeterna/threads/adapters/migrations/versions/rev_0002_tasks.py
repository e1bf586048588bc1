"""Tasks, their runners and the ledger of their side effects; the log in partitions."""

from __future__ import annotations

from aeterna.postgres.revisions import run_apart, run_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """See the files; whatever takes long is done while everybody goes on writing, and the tables change in a moment."""
    run_file(__file__, "0002_columns.up.sql")
    run_apart(__file__, "0002_apart.up.sql")
    run_file(__file__, "0002_tasks.up.sql", "0002_partitions.up.sql", "0002_writes.up.sql", "0002_append.up.sql")


def downgrade() -> None:
    """See the files."""
    run_apart(__file__, "0002_apart.down.sql")
    run_file(__file__, "0002_writes.down.sql", "0002_tasks.down.sql")
