"""What a client asks to be written: a session of changes, checked when it is made and trusted afterwards."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, TypeVar, cast

from aeterna.graph.domain.identifiers import (
    MAX_SESSION_ID_CHARS,
    Json,
    Label,
    NodeId,
    SessionId,
    problem_of_id,
    problem_of_label,
)
from aeterna.graph.errors import InvalidSessionError, SessionTooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"

MAX_CHANGES: Final = 10_000
MAX_PROPERTIES_BYTES: Final = 65_536
MAX_PROPERTIES_DEPTH: Final = 32
NO_PROPERTIES: Final = Json("{}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node as it shall be from now on; its properties replace earlier ones whole."""

    id: NodeId
    kind: Label
    properties: Json = NO_PROPERTIES


class EdgeKey(NamedTuple):
    """What makes an edge itself: two edges that agree in all three are the same edge."""

    source: NodeId
    type: Label
    target: NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """An edge as it shall be from now on; its properties replace earlier ones whole."""

    key: EdgeKey
    properties: Json = NO_PROPERTIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Changes that become visible together or not at all. Build it with `session_of`."""

    id: SessionId
    subject: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    removed_nodes: tuple[NodeId, ...]
    removed_edges: tuple[EdgeKey, ...]
    digest: str
    size: int  # characters of its content, for whoever has to hold many

    @property
    def changes(self) -> int:
        """How many changes the session asks for."""
        return len(self.nodes) + len(self.edges) + len(self.removed_nodes) + len(self.removed_edges)


def node_of(id_: str, kind: str, properties: Mapping[str, JsonValue] | None = None, *, field: str = "node") -> Node:
    """Check and make a node; raise `InvalidSessionError` that names ``field``."""
    _require(problem_of_id(id_), f"{field}.id")
    _require(problem_of_label(kind), f"{field}.kind")
    return Node(id=NodeId(id_), kind=Label(kind), properties=_canonical(properties or {}, field))


def edge_key_of(source: str, type_: str, target: str, *, field: str = "edge") -> EdgeKey:
    """Check and make the identity of an edge; raise `InvalidSessionError` that names ``field``."""
    _require(problem_of_id(source), f"{field}.source")
    _require(problem_of_label(type_), f"{field}.type")
    _require(problem_of_id(target), f"{field}.target")
    return EdgeKey(NodeId(source), Label(type_), NodeId(target))


def edge_of(
    source: str, type_: str, target: str, properties: Mapping[str, JsonValue] | None = None, *, field: str = "edge"
) -> Edge:
    """Check and make an edge; raise `InvalidSessionError` that names ``field``."""
    return Edge(key=edge_key_of(source, type_, target, field=field), properties=_canonical(properties or {}, field))


def removed_node_of(id_: str, *, field: str = "remove.nodes") -> NodeId:
    """Check the id of a node to remove; raise `InvalidSessionError` that names ``field``."""
    _require(problem_of_id(id_), field)
    return NodeId(id_)


def session_of(
    id_: str,
    *,
    subject: str,
    nodes: Iterable[Node] = (),
    edges: Iterable[Edge] = (),
    removed_nodes: Iterable[NodeId] = (),
    removed_edges: Iterable[EdgeKey] = (),
) -> Session:
    """Check and make a session.

    Repeating the same change is harmless; two different changes of one thing in one session are refused
    with `InvalidSessionError`, because nothing says which of them should win.
    """
    _require(problem_of_id(id_, MAX_SESSION_ID_CHARS), "session_id")
    new_nodes = _unique(((node.id, node) for node in nodes), "nodes")
    new_edges = _unique(((edge.key, edge) for edge in edges), "edges")
    gone_nodes = frozenset(removed_nodes)
    gone_edges = frozenset(removed_edges)
    _require_one_meaning(new_nodes, new_edges, gone_nodes, gone_edges)
    changes = len(new_nodes) + len(new_edges) + len(gone_nodes) + len(gone_edges)
    if changes == 0:
        raise InvalidSessionError("session", "holds no changes")
    if changes > MAX_CHANGES:
        raise SessionTooLargeError(changes, MAX_CHANGES)
    content = (
        tuple(sorted(new_nodes.values(), key=lambda node: node.id)),
        tuple(sorted(new_edges.values(), key=lambda edge: edge.key)),
        tuple(sorted(gone_nodes)),
        tuple(sorted(gone_edges)),
    )
    text = _text(*content)
    return Session(
        id=SessionId(id_),
        subject=subject,
        nodes=content[0],
        edges=content[1],
        removed_nodes=content[2],
        removed_edges=content[3],
        digest=hashlib.sha256(text.encode()).hexdigest(),
        size=len(text),
    )


def _require_one_meaning(
    nodes: Mapping[NodeId, Node],
    edges: Mapping[EdgeKey, Edge],
    gone_nodes: frozenset[NodeId],
    gone_edges: frozenset[EdgeKey],
) -> None:
    """Refuse what is written and removed at once."""
    for kept, gone, field in ((nodes, gone_nodes, "remove.nodes"), (edges, gone_edges, "remove.edges")):
        if both := kept.keys() & gone:
            raise InvalidSessionError(field, f"{_shown(min(both))} is written and removed by the same session")
    for key in edges:
        if not gone_nodes.isdisjoint((key.source, key.target)):
            raise InvalidSessionError("edges", f"{_shown(key)} names a node that the same session removes")


def _text(
    nodes: tuple[Node, ...],
    edges: tuple[Edge, ...],
    removed_nodes: tuple[NodeId, ...],
    removed_edges: tuple[EdgeKey, ...],
) -> str:
    """Write the sorted changes down for the digest: the order in which a client listed them does not matter."""
    return json.dumps(
        [
            [(node.id, node.kind, node.properties) for node in nodes],
            [(*edge.key, edge.properties) for edge in edges],
            removed_nodes,
            removed_edges,
        ],
        separators=(",", ":"),
    )


K = TypeVar("K", NodeId, EdgeKey)
V = TypeVar("V", Node, Edge)


def _unique(changes: Iterable[tuple[K, V]], field: str) -> dict[K, V]:
    unique: dict[K, V] = {}
    for index, (key, change) in enumerate(changes):
        if unique.setdefault(key, change) != change:
            raise InvalidSessionError(f"{field}[{index}]", f"{_shown(key)} is written twice with different content")
    return unique


def _canonical(properties: Mapping[str, JsonValue], field: str) -> Json:
    path = f"{field}.properties"
    try:
        # The depth is what the encoder's own recursion would otherwise decide, differently on each interpreter.
        if _deeper_than(properties, MAX_PROPERTIES_DEPTH):
            raise InvalidSessionError(path, f"is nested deeper than {MAX_PROPERTIES_DEPTH} levels")
        text = json.dumps(properties, allow_nan=False, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        size = len(text.encode())
    except UnicodeEncodeError as problem:
        raise InvalidSessionError(path, "holds a lone surrogate, which no text may") from problem
    except (TypeError, ValueError) as problem:
        raise InvalidSessionError(path, f"is not JSON: {problem}") from problem
    if size > MAX_PROPERTIES_BYTES:
        raise InvalidSessionError(path, f"has {size} bytes of JSON, at most {MAX_PROPERTIES_BYTES} are allowed")
    return Json(text)


def _deeper_than(value: object, levels: int) -> bool:
    """Tell whether the value nests deeper, without following it any further than that."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [child for container in layer for child in _children(container)]
        if not layer:
            return False
    return True


def _children(value: object) -> Iterable[object]:
    match value:
        case dict():
            return cast("dict[str, object]", value).values()
        case list():
            return cast("list[object]", value)
        case _:
            return ()


def _require(problem: str | None, field: str) -> None:
    if problem is not None:
        raise InvalidSessionError(field, problem)


def _shown(key: NodeId | EdgeKey) -> str:
    return repr(key) if isinstance(key, str) else " ".join(key)
