"""What a question is given: a state, a clock that stops it, and SQL over the state when it wants it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import duckdb

from aeterna.graph.adapters.lens.state import LensState
from aeterna.graph.adapters.questions.word_index import WordIndex

Check: TypeAlias = Callable[[], None]  # raises `QueryTimeoutError` when the time is up


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One reader's hold of a state.

    ``sql`` returns a connection of the reader's own on which ``node`` and ``edge`` are what lives at that state; it is
    made at the first call, interrupted when the time is up, and closed with the view. ``words`` belongs to the lens.
    """

    state: LensState
    check: Check
    sql: Callable[[], duckdb.DuckDBPyConnection]
    words: WordIndex
