"""Push notifications: who is told, what is still to be told, and what could not be."""

from __future__ import annotations

from aeterna.postgres.revisions import run_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """See the file."""
    run_file(__file__, "0003_push.up.sql")


def downgrade() -> None:
    """See the file."""
    run_file(__file__, "0003_push.down.sql")
