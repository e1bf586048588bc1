"""Versions, deployments and the audit."""

from __future__ import annotations

from aeterna.policies.adapters.postgres.migrations.statements import run

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables, the role and its rights."""
    run("0001_versions.up.sql")


def downgrade() -> None:
    """Drop the tables and everything in them."""
    run("0001_versions.down.sql")
