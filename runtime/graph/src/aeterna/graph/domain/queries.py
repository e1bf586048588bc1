"""The questions a graph answers, checked when they are made, and the shape of the answers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

from aeterna.graph.domain.changes import Edge, EdgeKey
from aeterna.graph.domain.identifiers import Json, Label, NodeId, SnapshotId, problem_of_id, problem_of_label
from aeterna.graph.errors import InvalidQueryError

if TYPE_CHECKING:
    from collections.abc import Iterable


Direction: TypeAlias = Literal["out", "in", "both"]

MAX_DEPTH: Final = 5
MAX_HOPS: Final = 64
MAX_PAGE: Final = 1_000
MAX_FILTERS: Final = 64
_SNAPSHOT: Final = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a page ended: the depth and id of its last node."""

    depth: int
    node: NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighborsQuery:
    """Which nodes are at most ``depth`` steps away. Build it with `neighbors_query`.

    ``types`` limits the edges that are walked; ``kinds`` limits the nodes that are returned, not those walked
    through. Empty means any. Nodes come in order of depth, then of id; ``after`` continues behind a position.
    """

    node: NodeId
    depth: int
    direction: Direction
    types: frozenset[Label]
    kinds: frozenset[Label]
    limit: int
    after: Position | None = None

    @property
    def digest(self) -> str:
        """What a cursor is bound to: everything but the page's size and position."""
        text = json.dumps([self.node, self.depth, self.direction, sorted(self.types), sorted(self.kinds)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathQuery:
    """How one node leads to another in the fewest steps. Build it with `path_query`."""

    source: NodeId
    target: NodeId
    max_hops: int
    direction: Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFound:
    """A node as a snapshot has it."""

    snapshot_id: SnapshotId | None
    id: NodeId
    kind: Label
    properties: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighborFound:
    """A node, and the fewest steps that lead to it from the origin."""

    id: NodeId
    kind: Label
    properties: Json
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbors:
    """One page. ``edges`` are all walked edges by which a node of this page is first reached."""

    snapshot_id: SnapshotId | None
    nodes: tuple[NeighborFound, ...]
    edges: tuple[Edge, ...]
    next: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One of the shortest paths: n + 1 nodes and the n edges between them, each as it was stored."""

    snapshot_id: SnapshotId | None
    nodes: tuple[NodeId, ...]
    edges: tuple[EdgeKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """How much a snapshot holds."""

    snapshot_id: SnapshotId | None
    seq: int
    nodes: int
    edges: int
    node_kinds: Mapping[Label, int]
    edge_types: Mapping[Label, int]


def node_query(node: str) -> NodeId:
    """Check the id of a node that is asked for; raise `InvalidQueryError`."""
    return _node(node, "node_id")


def neighbors_query(
    node: str,
    *,
    depth: int = 1,
    direction: str = "out",
    types: Iterable[str] = (),
    kinds: Iterable[str] = (),
    limit: int = 100,
    after: Position | None = None,
) -> NeighborsQuery:
    """Check and make the question; raise `InvalidQueryError` that names the parameter and what would do."""
    return NeighborsQuery(
        node=_node(node, "node"),
        depth=_within(depth, 1, MAX_DEPTH, "depth"),
        direction=_direction(direction),
        types=_labels(types, "type"),
        kinds=_labels(kinds, "kind"),
        limit=_within(limit, 1, MAX_PAGE, "limit"),
        after=after,
    )


def path_query(source: str, target: str, *, max_hops: int = 16, direction: str = "out") -> PathQuery:
    """Check and make the question; raise `InvalidQueryError` that names the parameter and what would do."""
    return PathQuery(
        source=_node(source, "source"),
        target=_node(target, "target"),
        max_hops=_within(max_hops, 1, MAX_HOPS, "max_hops"),
        direction=_direction(direction),
    )


def cursor_of(query: NeighborsQuery, snapshot: SnapshotId, position: Position) -> str:
    """Write a position as the opaque text that a client hands back for the next page of the same snapshot."""
    text = json.dumps([1, str(snapshot), query.digest, position.depth, position.node], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def cursor_parsed(cursor: str, query: NeighborsQuery) -> tuple[SnapshotId, Position]:
    """Read a cursor back; raise `InvalidQueryError` unless it belongs to this very question."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        fields = cast("object", json.loads(base64.b64decode(padded, altchars=b"-_", validate=True)))
    except (UnicodeError, binascii.Error, ValueError, RecursionError) as problem:
        raise InvalidQueryError("cursor", "is not one that an earlier page gave") from problem
    match fields:
        case [1, str(snapshot), str(digest), int(depth), str(node)] if _SNAPSHOT.fullmatch(snapshot):
            if digest != query.digest:
                raise InvalidQueryError("cursor", "belongs to another question; only limit may change between pages")
            return SnapshotId(int(snapshot)), Position(depth=depth, node=NodeId(node))
        case _:
            raise InvalidQueryError("cursor", "is not one that an earlier page gave")


def _node(text: str, parameter: str) -> NodeId:
    if problem := problem_of_id(text):
        raise InvalidQueryError(parameter, problem)
    return NodeId(text)


def _labels(texts: Iterable[str], parameter: str) -> frozenset[Label]:
    labels = frozenset(texts)
    if len(labels) > MAX_FILTERS:
        raise InvalidQueryError(parameter, f"at most {MAX_FILTERS} may be given, not {len(labels)}")
    for label in labels:
        if problem := problem_of_label(label):
            raise InvalidQueryError(parameter, problem)
    return frozenset(Label(label) for label in labels)


def _within(value: int, least: int, most: int, parameter: str) -> int:
    if not least <= value <= most:
        raise InvalidQueryError(parameter, f"must be {least} to {most}, not {value}")
    return value


def _direction(text: str) -> Direction:
    match text:
        case "out" | "in" | "both":
            return text
        case _:
            raise InvalidQueryError("direction", f"must be out, in or both, not {text!r}")
