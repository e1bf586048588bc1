"""An index of the words of one lens in SQLite's FTS5: made when somebody first searches, kept up by what changes.

SQLite sees only words that were made here: those of ASCII as they are, any other as ``_`` and the hex of its UTF-8,
because its tables of letters are older than our texts. So neither a name nor a question can be a piece of syntax.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from aeterna.graph.domain.questions.searches import is_name, texts_of
from aeterna.graph.domain.questions.words import has_parts, parts, spaced, words

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from aeterna.graph.adapters.lens.asking import Check
    from aeterna.graph.adapters.lens.state import LensState
    from aeterna.graph.domain.arrow import Table
    from aeterna.graph.domain.identifiers import Json
    from aeterna.graph.domain.questions.searches import SearchQuery, Term
    from aeterna.graph.domain.questions.words import Word

_TABLES: Final = """
CREATE TABLE node (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(id, name, text, parts, tokenize = "ascii tokenchars '_'");
CREATE VIRTUAL TABLE known USING fts5vocab(words, row);
"""
_FIND: Final = """
SELECT node.id, round(-bm25(words, 8.0, 6.0, 1.0, 2.0), 9) AS score
FROM words JOIN node ON node.row = words.rowid
WHERE words MATCH :match AND (:any OR node.kind IN (SELECT value FROM json_each(:kinds)))
ORDER BY score DESC, node.id LIMIT :limit
"""
_HOLDERS: Final = "SELECT coalesce(sum(doc), 0) FROM known WHERE term >= ? AND term < ?"
_ADD_NODE: Final = "INSERT INTO node (row, id, kind) VALUES (?, ?, ?)"
_ADD_WORDS: Final = "INSERT INTO words (rowid, id, name, text, parts) VALUES (?, ?, ?, ?, ?)"
_BOUNDARY: Final = " _ "  # a word that nobody can ask for, so that no phrase reaches over the end of a text
_CHUNK: Final = 2_000
_WAIT: Final = 0.05  # seconds between looks at the clock while another search holds the index
_MAX_WAITING: Final = 100_000  # changed rows; more are cheaper to index anew when somebody searches again
_MAX_RANKED: Final = 20_000  # nodes that any of some terms may find; BM25 of so many takes some 40 ms
_STEPS: Final = 50_000  # of SQLite's machine between looks at the clock

Document = tuple[str, str, str, str]


class Found(NamedTuple):
    """Ids and scores, the best first; for a search for any of some terms also how many nodes hold each."""

    best: list[tuple[str, float]]
    holders: tuple[int, ...]


class WordIndex:
    """The words of a lens's newest state. Any number of threads may search while one tells of new states."""

    def __init__(self, state: LensState) -> None:
        self._newest = state
        self._asking = threading.Lock()  # held while the index is read or written
        self._telling = threading.Lock()  # held for a moment around what follows
        self._waiting: list[Table] = []
        self._rows_waiting = 0
        self._filling: _Filling | None = None  # None until somebody searches

    def replaced(self, state: LensState) -> None:
        """Take note of a state that does not follow from the one before."""
        with self._telling:
            self._newest = state
            self._forget()

    def applied(self, nodes: Table, state: LensState) -> None:
        """Take note of the rows of nodes that lead to a state, before anybody sees it.

        It costs nothing until somebody searches.
        """
        with self._telling:
            self._newest = state
            if self._filling is None:
                return
            self._waiting.append(nodes)
            self._rows_waiting += nodes.num_rows
            if self._rows_waiting > _MAX_WAITING:
                self._forget()

    def find(self, query: SearchQuery, check: Check) -> tuple[LensState, Found]:
        """Return the newest state and what was found in it."""
        while not self._asking.acquire(timeout=_WAIT):
            check()
        try:
            state, database = self._current(check)
            return state, _found(database, query, check)
        finally:
            self._asking.release()

    def _current(self, check: Check) -> tuple[LensState, sqlite3.Connection]:
        """Bring the index to the newest state; what a clock interrupts is gone on with by the next search."""
        while True:
            with self._telling:
                if self._filling is None:
                    # From here on every change is told, so nothing falls between this state and the next.
                    self._filling = _Filling(self._newest)
                filling = self._filling
            filling.fill(check)
            with self._telling:
                changes, self._waiting, self._rows_waiting = self._waiting, [], 0
                kept, state = self._filling is filling, self._newest
            if kept:
                self._write(filling, changes)
                return state, filling.database

    def _write(self, filling: _Filling, changes: list[Table]) -> None:
        try:
            for rows in changes:
                _write(filling.database, _latest_of(rows))
        except BaseException:
            # What was taken from those that wait is lost to this database.
            with self._telling:
                self._forget()
            raise

    def _forget(self) -> None:
        self._waiting, self._rows_waiting, self._filling = [], 0, None


class _Filling:
    """A database, and how far it has got with the state that it begins with."""

    def __init__(self, state: LensState) -> None:
        self.database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.database.executescript(_TABLES)
        self._nodes: Table | None = state.relations.node
        self._done = 0

    def fill(self, check: Check) -> None:
        """Index the first state, or what is left of it."""
        while self._nodes is not None:
            check()
            self._add(self._nodes.slice(self._done, _CHUNK))
            self._done += _CHUNK
            if self._done >= self._nodes.num_rows:
                self._nodes = None

    def _add(self, nodes: Table) -> None:
        """Add nodes that are not there yet: many rows in one call take half the time of as many calls."""
        columns = [nodes[name].to_pylist() for name in ("id", "kind", "properties")]
        rows = range(self._done, self._done + nodes.num_rows)
        with _all_or_nothing(self.database):
            self.database.executemany(_ADD_NODE, zip(rows, columns[0], columns[1], strict=True))
            documents = (_document(id_, properties) for id_, properties in zip(columns[0], columns[2], strict=True))
            self.database.executemany(_ADD_WORDS, ((row, *each) for row, each in zip(rows, documents, strict=True)))


def _found(database: sqlite3.Connection, query: SearchQuery, check: Check) -> Found:
    given = {
        "any": not query.kinds,
        "kinds": json.dumps(sorted(query.kinds)),
        "limit": query.limit,
    }
    database.set_progress_handler(lambda: _stopped(check), _STEPS)
    try:
        holders: tuple[int, ...] = ()
        terms, joint = query.terms, " AND "
        if query.match == "any":
            holders = tuple(_holders(database, term) for term in terms)
            terms, joint = _telling(terms, holders), " OR "
        given["match"] = joint.join(f"({' OR '.join(_phrases(term))})" for term in terms)
        return Found(database.execute(_FIND, given).fetchall(), holders)
    except sqlite3.OperationalError:
        check()  # which raises when it was the clock that stopped it
        raise
    finally:
        database.set_progress_handler(None, 0)


def _telling(terms: tuple[Term, ...], holders: tuple[int, ...]) -> tuple[Term, ...]:
    """Return the terms that the fewest nodes hold, as many as can be ranked in time, in the order of the question."""
    kept: set[int] = set()
    room = _MAX_RANKED
    for place in sorted(range(len(terms)), key=lambda place: (holders[place], place)):
        if kept and holders[place] > room:
            break
        room -= holders[place]
        if holders[place]:
            kept.add(place)
    return tuple(terms[place] for place in sorted(kept)) or terms


def _holders(database: sqlite3.Connection, term: Term) -> int:
    """Return how many nodes hold the rarest word of a term, or a few more; a beginning may count a node twice."""
    found = 0
    for phrase in term.phrases:
        tokens = [_encoded(word) for word in phrase]
        ranges = [(token, f"{token}\0") for token in tokens]
        if term.prefix:
            # Behind every word that begins so, and before any other: no token has a DEL.
            ranges[-1] = (tokens[-1], f"{tokens[-1]}\x7f")
        found += min(int(database.execute(_HOLDERS, each).fetchone()[0]) for each in ranges)
    return found


def _latest_of(rows: Table) -> Iterable[tuple[str, str | None, Json]]:
    """Return id, kind and properties of each node by its newest row; the kind is None when it was removed."""
    columns = (rows[name].to_pylist() for name in ("seq", "id", "op", "kind", "properties"))
    newest = {
        id_: (id_, kind if op == "upsert" else None, properties)
        for _, id_, op, kind, properties in sorted(zip(*columns, strict=True), key=lambda row: row[0])
    }
    return newest.values()


def _write(database: sqlite3.Connection, nodes: Iterable[tuple[str, str | None, Json]]) -> None:
    """Replace what is known of the nodes, all of them or none."""
    with _all_or_nothing(database):
        for id_, kind, properties in nodes:
            known = database.execute("SELECT row FROM node WHERE id = ?", [id_]).fetchone()
            if known:
                database.execute("DELETE FROM words WHERE rowid = ?", known)
                database.execute("DELETE FROM node WHERE row = ?", known)
            if kind is not None:
                row = database.execute(_ADD_NODE, (None, id_, kind)).lastrowid
                database.execute(_ADD_WORDS, (row, *_document(id_, properties)))


@contextlib.contextmanager
def _all_or_nothing(database: sqlite3.Connection) -> Generator[None]:
    database.execute("BEGIN")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _document(id_: str, properties: Json) -> Document:
    """Return the words of the id, of what names the node, of every other text, and of all their parts."""
    texts = texts_of(properties)
    named = [text for path, text in texts if is_name(path)]
    others = [text for path, text in texts if not is_name(path)]
    split = [text for text in (id_, *named, *others) if has_parts(text)]
    return (
        _written(id_, words),
        _BOUNDARY.join(_written(text, words) for text in named),
        _BOUNDARY.join(_written(text, words) for text in others),
        _BOUNDARY.join(_written(text, parts) for text in split),
    )


def _written(text: str, split: Callable[[str], Iterable[Word]]) -> str:
    if text.isascii():
        # What the tokenizer of SQLite makes of it is what ours would.
        return (text if split is words else spaced(text)).lower().replace("_", " ")
    return " ".join(_encoded(word.text) for word in split(text))


def _encoded(word: str) -> str:
    return word if word.isascii() else f"_{word.encode().hex()}"


def _phrases(term: Term) -> Iterator[str]:
    for phrase in term.phrases:
        yield f'"{" ".join(map(_encoded, phrase))}"{" *" if term.prefix else ""}'
        if term.prefix and phrase[-1].isascii():
            # The rest of the word may be of other letters.
            yield f'"{" ".join([*map(_encoded, phrase[:-1]), f"_{phrase[-1].encode().hex()}"])}" *'


def _stopped(check: Check) -> int:
    """Return 0 to go on; what `check` raises makes SQLite stop."""
    check()
    return 0
