"""Every statement of the thread store names the tenant."""

from __future__ import annotations

import re
from typing import Final

import pytest

from aeterna.threads.adapters.database import queries

SERVED: Final = ("threads.sql", "messages.sql", "tasks.sql", "runs.sql", "steps.sql", "push.sql", "retention.sql")
# Run for every tenant at once, as the role of the jobs.
OF_JOBS: Final = frozenset({"free_dead_runners", "remove_dead_runners"})
# A function of ours has a parenthesis after its name.
TABLE: Final = re.compile(rb"\bthreads\.[a-z_]+\b(?!\()")


@pytest.mark.parametrize("file", SERVED)
def test_every_statement_on_a_table_names_the_tenant(file: str) -> None:
    """The second wall beside row-level security."""
    of_tables = {name: text for name, text in queries(file).items() if TABLE.search(text) and name not in OF_JOBS}

    assert of_tables
    assert [name for name, text in of_tables.items() if b"%(tenant)s" not in text] == []
