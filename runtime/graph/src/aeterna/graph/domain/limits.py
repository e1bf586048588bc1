"""How much of anything a graph service takes on at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds that keep memory and time finite, whatever clients do.

    A tenant may have ``waiting_sessions`` and ``waiting_chars`` in its queue; up to ``group_sessions`` and about
    ``group_chars`` of them become one snapshot. A read looks for other writers' commits when the last look is
    ``refresh_every`` old. ``commit_attempts`` is how often a commit is tried while other processes win.
    After ``upkeep_every`` snapshots of a tenant its upkeep is called.

    A question may take ``query_time`` and walk ``max_depth`` steps, 10 at the very most. A page of an answer has
    about ``page_bytes`` of names and properties.
    """

    waiting_sessions: int = 256
    waiting_chars: int = 64 << 20
    group_sessions: int = 64
    group_chars: int = 16 << 20
    commit_attempts: int = 50
    commit_threads: int = 8
    upkeep_every: int = 50
    refresh_every: timedelta = timedelta(seconds=1)
    query_time: timedelta = timedelta(seconds=30)
    max_depth: int = 5
    page_bytes: int = 4 << 20
    open_tenants: int = 64
    past_snapshots: int = 8
