"""Takes over what Microsoft's GraphRAG has found: its entities, relationships, text units and documents.

The columns are those of GraphRAG's output tables (https://microsoft.github.io/graphrag/index/outputs). Relationships
name entities by title, so the title is the entity's id here: ``entity:<title>``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.changes import EdgeKey, JsonValue
from aeterna.graph.domain.identifiers import Label, NodeId, problem_of_id, problem_of_label
from aeterna.knowledge.domain.contributions import UNKNOWN_KIND, EdgePart, NodePart
from aeterna.knowledge.domain.tables import Table, TableRefusedError, shown, weight_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aeterna.knowledge.domain.tables import Row

MEDIA_TYPE: Final = "application/vnd.graphrag+parquet"
ENTITY, RELATED_TO = "Entity", "related_to"
_MAX_TEXT_CHARS: Final = 12_000
# Each table by columns that no other one of GraphRAG's has all of, and in the order in which they are looked for.
_ENTITIES: Final = frozenset({"title", "type", "description", "text_unit_ids"})
_RELATIONSHIPS: Final = frozenset({"source", "target", "description", "text_unit_ids"})
_TEXT_UNITS: Final = frozenset({"text", "n_tokens"})
_DOCUMENTS: Final = frozenset({"title", "text", "text_unit_ids"})
_REPORTS: Final = frozenset({"community", "level"})
_CLAIMS: Final = frozenset({"covariate_type", "subject_id"})


def graphrag_table(columns: Sequence[str], rows: Iterable[Row], name: str) -> Table | None:
    """Return what one of GraphRAG's tables says, or None for a table that is none of them."""
    names = frozenset(columns)
    if names >= _REPORTS or names >= _CLAIMS:
        what = "communities and reports of GraphRAG are left out: ours are made of what is in the graph"
        return Table(
            media_type=MEDIA_TYPE, title=name, warnings=(what if names >= _REPORTS else "claims are left out",)
        )
    for wanted, add in _READERS:
        if names >= wanted:
            found = _Found()
            for number, row in enumerate(rows, start=1):
                add(found, row, number)
            return found.table(name)
    return None


class _Found:
    """Nodes and edges; the ends of edges are nodes, too, of which nothing is known."""

    def __init__(self) -> None:
        self._nodes: dict[str, NodePart] = {}
        self._edges: dict[EdgeKey, EdgePart] = {}
        self._shortened = 0

    def table(self, name: str) -> Table:
        warnings = (f"{self._shortened} texts were shortened",) if self._shortened else ()
        return Table(
            media_type=MEDIA_TYPE,
            title=name,
            nodes=tuple(self._nodes.values()),
            edges=tuple(self._edges.values()),
            warnings=warnings,
        )

    def node(self, id_: str, kind: str, properties: dict[str, JsonValue], number: int) -> None:
        if (problem := problem_of_id(id_)) is not None:
            raise TableRefusedError(f"has in row {number} the name {shown(id_)}, which {problem}")
        said = {key: self._short(value) for key, value in properties.items() if value not in (None, "", [])}
        self._nodes[id_] = NodePart(id=id_, kind=kind, properties=said)

    def edge(self, source: str, type_: str, target: str, number: int, weight: float = 1.0, **said: JsonValue) -> None:
        for end in (source, target):
            if end not in self._nodes:
                self.node(end, UNKNOWN_KIND, {}, number)
        key = EdgeKey(NodeId(source), Label(type_), NodeId(target))
        properties = {name: self._short(value) for name, value in said.items() if value not in (None, "", [])}
        before = self._edges.get(key)
        self._edges[key] = EdgePart(key=key, weight=weight + (before.weight if before else 0), properties=properties)

    def _short(self, value: JsonValue) -> JsonValue:
        if isinstance(value, str) and len(value) > _MAX_TEXT_CHARS:
            self._shortened += 1
            return value[:_MAX_TEXT_CHARS]
        return value


def _entity(found: _Found, row: Row, number: int) -> None:
    title, type_ = _text(row, "title", number), row.get("type")
    kind = type_.strip().title().replace(" ", "_") if isinstance(type_, str) else ""
    id_ = f"entity:{title}"
    found.node(
        id_,
        ENTITY if problem_of_label(kind) is not None else kind,
        {"name": title, "description": row.get("description")},
        number,
    )
    for unit in _list(row, "text_unit_ids"):
        found.edge(f"unit:{unit}", "mentions", id_, number)


def _relationship(found: _Found, row: Row, number: int) -> None:
    source, target = (f"entity:{_text(row, column, number)}" for column in ("source", "target"))
    weight = weight_of(row.get("weight"), number)
    found.edge(source, RELATED_TO, target, number, weight, description=row.get("description"))


def _text_unit(found: _Found, row: Row, number: int) -> None:
    id_ = f"unit:{_text(row, 'id', number)}"
    # Newer releases have one document for each unit, older ones a list.
    documents = _list(row, "document_ids") or _list(row, "document_id")
    first = documents[0] if documents else None
    found.node(id_, "TextUnit", {"text": row.get("text"), "document": first}, number)
    for document in documents:
        found.edge(f"doc:{document}", "contains", id_, number)


def _document(found: _Found, row: Row, number: int) -> None:
    id_ = f"doc:{_text(row, 'id', number)}"
    found.node(id_, "Document", {"name": row.get("title")}, number)
    for unit in _list(row, "text_unit_ids"):
        found.edge(id_, "contains", f"unit:{unit}", number)


def _text(row: Row, column: str, number: int) -> str:
    value = row.get(column)
    if not isinstance(value, str) or not value:
        raise TableRefusedError(f"has the {column} {shown(value)} in row {number}, which names nothing")
    return value


def _list(row: Row, column: str) -> list[str]:
    value = row.get(column)
    if isinstance(value, str) and value:
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


_READERS: Final[tuple[tuple[frozenset[str], Callable[[_Found, Row, int], None]], ...]] = (
    (_ENTITIES, _entity),
    (_RELATIONSHIPS, _relationship),
    (_TEXT_UNITS, _text_unit),
    (_DOCUMENTS, _document),
)
