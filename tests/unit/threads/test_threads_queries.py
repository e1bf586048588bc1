"""The statements are files, and the files are read exactly."""

from __future__ import annotations

from pathlib import Path

from aeterna.threads.adapters import queries
from aeterna.threads.adapters.queries import load_queries

FILES = sorted(path.name for path in (Path(queries.__file__).parent / "sql").glob("*.sql"))


def test_a_statement_is_what_stands_between_two_names() -> None:
    assert load_queries("threads.sql")["read_thread"].endswith(
        b"WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s"
    )


def test_no_statement_has_a_comment_or_a_second_statement() -> None:
    """A pipeline takes one statement at a time, and comments would be sent each time."""
    assert [name for name, text in load_queries(*FILES).items() if b"--" in text or b";" in text] == []


def test_every_statement_on_a_table_names_the_tenant() -> None:
    """The second wall beside row-level security."""
    of_tables = {
        name: text
        for name, text in load_queries(*FILES).items()
        if b"threads.threads" in text or b"threads.messages" in text
    }

    assert [name for name, text in of_tables.items() if b"%(tenant)s" not in text] == []
