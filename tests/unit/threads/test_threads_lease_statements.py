"""The statements of leases and the ledger: what they are told, and whose clock they go by."""

from __future__ import annotations

import re

import pytest

from aeterna.threads.adapters.database import queries

STATEMENTS = queries("runs.sql", "steps.sql")


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_no_statement_is_told_what_time_it_is(name: str) -> None:
    """Clocks of pods differ: the database's own decides who lives. The one moment given is a place in a listing."""
    told = set(re.findall(r"%\((\w+)\)s", STATEMENTS[name].decode()))

    assert told <= {
        *("tenant", "agent", "runner", "thread_id", "key", "epoch"),
        *("ttl", "grace", "limit", "most", "held", "fingerprint", "result", "terminal"),
        *(("after_since", "after_id") if name == "stuck" else ()),
    }


@pytest.mark.parametrize("name", sorted(set(STATEMENTS) - {"free_dead_runners", "remove_dead_runners"}))
def test_every_statement_names_its_tenant(name: str) -> None:
    """Row-level security stands behind it, for the day on which one of the two is forgotten."""
    assert b"tenant = %(tenant)s" in STATEMENTS[name] or b"(%(tenant)s" in STATEMENTS[name]
