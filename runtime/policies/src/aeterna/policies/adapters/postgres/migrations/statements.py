"""Executes one of the SQL files of a revision."""

from __future__ import annotations

from pathlib import Path

from alembic import op


def run(file: str) -> None:
    """Execute a file of the folder ``sql`` as it stands, in the revision's transaction."""
    text = (Path(__file__).parent / "sql" / file).read_text(encoding="utf-8")
    # Without parameters, so that a percent sign or a colon in the file means what it means in SQL.
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(text)
