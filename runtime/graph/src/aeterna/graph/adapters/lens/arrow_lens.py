"""The lens: states in Arrow and numpy, one after the other, each held for as long as somebody reads it."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final

import duckdb

from aeterna.graph.adapters.lens.applying import Growth, applied
from aeterna.graph.adapters.lens.asking import Asking
from aeterna.graph.adapters.lens.loading import loaded
from aeterna.graph.adapters.lens.state import LensState
from aeterna.graph.adapters.lens.view import LensStateView
from aeterna.graph.adapters.questions.word_index import WordIndex
from aeterna.graph.domain.parts import parts_of
from aeterna.graph.errors import QueryTimeoutError

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import timedelta

    from aeterna.graph.domain.parts import Parts
    from aeterna.graph.domain.rows import Rows
    from aeterna.graph.domain.snapshots import Snapshot
    from aeterna.graph.ports import LensView, Stopwatch

_THREADS: Final = 2
_MEMORY: Final = "2GB"


class ArrowLens:
    """A `Lens` whose states are never changed: a view needs no lock, and a new state is there all at once.

    One thread loads and applies while any number read.
    """

    def __init__(self, *, stopwatch: Stopwatch, threads: int = _THREADS, memory_limit: str = _MEMORY) -> None:
        """``threads`` and ``memory_limit`` are for SQL; nothing is spilled to a disk."""
        self._stopwatch = stopwatch
        self._sql: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads,
            "memory_limit": memory_limit,
            "temp_directory": "",
        }
        self._database: duckdb.DuckDBPyConnection | None = None  # made when somebody first wants SQL
        self._turn = threading.Lock()
        self._state = LensState.empty()
        self._growth = Growth()
        self._words = WordIndex(self._state)

    def load(self, parts: Parts, snapshot: Snapshot) -> None:
        """Replace the state by that of ``snapshot``, of which ``parts`` are all the rows."""
        self._growth = Growth()
        state = loaded(parts, snapshot)
        self._words.replaced(state)
        self._state = state

    def apply(self, rows: Rows, snapshot: Snapshot) -> None:
        """Bring the state to ``snapshot`` by the rows committed since; readers see all of it or nothing."""
        parts = parts_of(rows)
        if self._state.snapshot is None:
            self.load(parts, snapshot)
        else:
            state = applied(self._state, parts, snapshot, self._growth)
            self._words.applied(parts.nodes, state)
            self._state = state

    @contextlib.contextmanager
    def view(self, time_limit: timedelta) -> Generator[LensView]:
        """Hold the present state for reading, for at most ``time_limit``."""
        state = self._state
        deadline = self._stopwatch() + time_limit.total_seconds()

        def check() -> None:
            if self._stopwatch() > deadline:
                raise QueryTimeoutError(time_limit)

        with contextlib.ExitStack() as held:
            connection: list[duckdb.DuckDBPyConnection] = []

            def sql() -> duckdb.DuckDBPyConnection:
                if not connection:
                    check()
                    connection.append(held.enter_context(self._connected(state, deadline - self._stopwatch())))
                return connection[0]

            try:
                yield LensStateView(Asking(state=state, check=check, sql=sql, words=self._words))
            except duckdb.InterruptException as interrupted:
                raise QueryTimeoutError(time_limit) from interrupted

    @contextlib.contextmanager
    def _connected(self, state: LensState, seconds: float) -> Generator[duckdb.DuckDBPyConnection]:
        """Hold a connection that is interrupted when the time is up."""
        with self._turn:
            if self._database is None:
                self._database = duckdb.connect(":memory:", config=self._sql)
            connection = self._database.cursor()
        alarm = threading.Timer(seconds, connection.interrupt)
        alarm.daemon = True
        try:
            state.relations.register(connection)
            alarm.start()
            yield connection
        finally:
            alarm.cancel()
            connection.close()
