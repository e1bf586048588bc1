"""Where a page ended, as the opaque text that a client hands back for the next page of the same state.

The state is named by its seq, which can be read as long as history is kept; snapshots expire within seconds when much
is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from aeterna.graph.domain.identifiers import NodeId
from aeterna.graph.domain.opaque import foreign, opened, sealed
from aeterna.graph.domain.queries import Position
from aeterna.graph.domain.questions.patterns import MAX_OFFSET
from aeterna.graph.domain.snapshots import AtSeq
from aeterna.graph.errors import InvalidQueryError

if TYPE_CHECKING:
    from aeterna.graph.domain.queries import NeighborsQuery
    from aeterna.graph.domain.questions.patterns import Pattern

_VERSION: Final = 2  # of the fields: the first named a snapshot
_MOST_SEQ: Final = (1 << 63) - 1


class Paged(Protocol):
    """A question whose answer comes in pages."""

    @property
    def digest(self) -> str:
        """What a cursor is bound to."""
        ...


def cursor_of(query: NeighborsQuery, seq: int, position: Position) -> str:
    """Write the position of the last node."""
    return _written(query, seq, [position.depth, position.node])


def cursor_parsed(cursor: str, query: NeighborsQuery) -> tuple[AtSeq, Position]:
    """Read a cursor back; raise `InvalidQueryError` unless it belongs to this very question."""
    state, position = _read(cursor, query)
    match position:
        case [int(depth), str(node)]:
            return state, Position(depth=depth, node=NodeId(node))
        case _:
            raise foreign()


def offset_cursor_of(query: Pattern, seq: int, offset: int) -> str:
    """Write how many rows came before."""
    return _written(query, seq, [offset])


def offset_cursor_parsed(cursor: str, query: Pattern) -> tuple[AtSeq, int]:
    """Read a cursor back; raise `InvalidQueryError` unless it belongs to this very question."""
    state, position = _read(cursor, query)
    match position:
        case [int(offset)] if offset > MAX_OFFSET:
            raise InvalidQueryError("cursor", f"pages end after {MAX_OFFSET} rows: narrow the pattern, or count")
        case [int(offset)] if offset >= 0:
            return state, offset
        case _:
            raise foreign()


def _written(query: Paged, seq: int, position: list[int | NodeId]) -> str:
    return sealed([seq, query.digest, *position], version=_VERSION)


def _read(cursor: str, query: Paged) -> tuple[AtSeq, list[object]]:
    match opened(cursor, version=_VERSION):
        case [int(seq), str(digest), *position] if 0 <= seq <= _MOST_SEQ:
            if digest != query.digest:
                raise InvalidQueryError("cursor", "belongs to another question; only limit may change between pages")
            return AtSeq(seq), position
        case _:
            raise foreign()
