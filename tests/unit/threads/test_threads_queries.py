"""Every statement of the thread store names the tenant."""

from __future__ import annotations

from aeterna.threads.adapters.database import queries


def test_every_statement_on_a_table_names_the_tenant() -> None:
    """The second wall beside row-level security."""
    of_tables = {
        name: text
        for name, text in queries("threads.sql", "messages.sql", "session.sql").items()
        if b"threads.threads" in text or b"threads.messages" in text
    }

    assert of_tables
    assert [name for name, text in of_tables.items() if b"%(tenant)s" not in text] == []
