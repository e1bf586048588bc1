"""Search in what plain threads say, and an index of when threads changed last."""

from __future__ import annotations

from aeterna.postgres.revisions import run_apart, run_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """See the files; the index is built beside the writers, the tables of the search begin empty."""
    run_apart(__file__, "0005_apart.up.sql")
    run_file(__file__, "0005_search.up.sql")


def downgrade() -> None:
    """See the files."""
    run_file(__file__, "0005_search.down.sql")
    run_apart(__file__, "0005_apart.down.sql")
