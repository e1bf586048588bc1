"""What lies between two moments of a graph, page by page: the question and the answer."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from aeterna.graph.domain.changes import Edge, EdgeKey, Node
from aeterna.graph.domain.identifiers import Label, NodeId, SnapshotId
from aeterna.graph.domain.opaque import foreign, opened, sealed
from aeterna.graph.domain.questions.checks import labels, within
from aeterna.graph.domain.snapshots import AsOf, AtSeq, Snapshot
from aeterna.graph.errors import InvalidQueryError

if TYPE_CHECKING:
    from collections.abc import Iterable


MAX_DIFF_PAGE: Final = 1_000

Change: TypeAlias = Literal["added", "changed", "removed"]
# The key of the last thing on a page: nodes come first, in order of their ids, then edges in order of their keys.
Place: TypeAlias = "NodeId | EdgeKey"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffQuery:
    """Two moments, either of which may be the older one; the second is now unless said otherwise.

    Build it with `diff_query`.
    ``kinds`` limits nodes to those that have one of them before or after, ``types`` limits edges. Empty means any.
    """

    start: AsOf
    end: AsOf | None = None
    kinds: frozenset[Label] = frozenset()
    types: frozenset[Label] = frozenset()
    limit: int = 100

    @property
    def digest(self) -> str:
        """What a cursor is bound to: everything but the page's size."""
        text = json.dumps([str(self.start), str(self.end), sorted(self.kinds), sorted(self.types)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeChange:
    """A node that differs; what a moment does not have is None."""

    change: Change
    before: Node | None
    after: Node | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeChange:
    """An edge that differs; what a moment does not have is None."""

    change: Change
    before: Edge | None
    after: Edge | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many differ in each way."""

    added: int
    changed: int
    removed: int

    @property
    def total(self) -> int:
        """How many differ."""
        return self.added + self.changed + self.removed


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """One page; the counts are of all pages."""

    start: Snapshot
    end: Snapshot
    node_counts: Counts
    edge_counts: Counts
    nodes: tuple[NodeChange, ...]
    edges: tuple[EdgeChange, ...]
    next: Place | None

    @property
    def snapshot_id(self) -> SnapshotId:
        """The snapshot of the second moment."""
        return self.end.id


def diff_query(
    start: AsOf,
    end: AsOf | None = None,
    *,
    kinds: Iterable[str] = (),
    types: Iterable[str] = (),
    limit: int = 100,
) -> DiffQuery:
    """Check and make the question; raise `InvalidQueryError` that names the parameter and what would do."""
    return DiffQuery(
        start=start,
        end=end,
        kinds=labels(kinds, "kind"),
        types=labels(types, "type"),
        limit=within(limit, 1, MAX_DIFF_PAGE, "limit"),
    )


def diff_cursor_of(query: DiffQuery, start: int, end: int, place: Place) -> str:
    """Write where a page ended; the next one compares the same two moments."""
    return sealed([start, end, query.digest, *(place if isinstance(place, EdgeKey) else (place,))])


def diff_cursor_parsed(cursor: str, query: DiffQuery) -> tuple[AtSeq, AtSeq, Place]:
    """Read a cursor back; raise `InvalidQueryError` unless it belongs to this very question."""
    match opened(cursor):
        case [int(start), int(end), str(digest), *place] if min(start, end) >= 0:
            if digest != query.digest:
                raise InvalidQueryError("cursor", "belongs to another question; only limit may change between pages")
            return AtSeq(start), AtSeq(end), _place(place)
        case _:
            raise foreign()


def _place(fields: list[object]) -> Place:
    match fields:
        case [str(node)]:
            return NodeId(node)
        case [str(source), str(type_), str(target)]:
            return EdgeKey(NodeId(source), Label(type_), NodeId(target))
        case _:
            raise foreign()
