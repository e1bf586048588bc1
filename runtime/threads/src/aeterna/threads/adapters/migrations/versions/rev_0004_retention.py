"""Expiry, legal holds, erasures, large parts and quotas."""

from __future__ import annotations

from aeterna.postgres.revisions import run_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """See the file."""
    run_file(__file__, "0004_retention.up.sql")


def downgrade() -> None:
    """See the file."""
    run_file(__file__, "0004_retention.down.sql")
