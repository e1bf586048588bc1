"""Runs revisions; alembic executes this file."""

from __future__ import annotations

from aeterna.postgres.revisions import run_revisions

run_revisions()
