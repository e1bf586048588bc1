"""What a question reads of the graph: nodes that were found, and the edges around one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aeterna.graph.domain.changes import JsonValue
from aeterna.knowledge.domain.documents import DocumentId, Span, UnitId
from aeterna.knowledge.domain.reports import Passage

TEXT_UNIT: Final = "TextUnit"
DOCUMENT: Final = "Document"
TERM: Final = "Term"
SYMBOL: Final = "Symbol"
MENTIONS: Final = "mentions"
CONTAINS: Final = "contains"
LINKS_TO: Final = "links_to"
UNIT_PREFIX: Final = "unit:"
TERM_PREFIX: Final = "term:"
CODE_PREFIX: Final = "code:"
DOCUMENT_PREFIX: Final = "doc:"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeHit:
    """A node that holds some of the words that were asked for."""

    id: str
    kind: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What full text found, the best first: of ``nodes`` nodes altogether, so many hold each term."""

    seq: int
    hits: tuple[NodeHit, ...]
    nodes: int
    holders: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNode:
    """A node with what is said of it."""

    id: str
    kind: str
    properties: Mapping[str, JsonValue]

    @property
    def name(self) -> str:
        """What it is called, or its id."""
        name = self.properties.get("name")
        return name if isinstance(name, str) and name else self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Touching:
    """An edge of a node, and the node at its other end."""

    type: str
    weight: float
    outward: bool
    node: GraphNode


def passage_of(node: GraphNode) -> Passage | None:
    """Return the unit that a node is; None for a node of another kind, or one that somebody wrote otherwise."""
    said = node.properties
    text, document, start, end = said.get("text"), said.get("document"), said.get("start"), said.get("end")
    heading = said.get("heading", [])
    if node.kind != TEXT_UNIT or not node.id.startswith(UNIT_PREFIX) or not isinstance(text, str):
        return None
    if not isinstance(document, str) or not isinstance(start, int) or not isinstance(end, int):
        return None
    return Passage(
        unit=UnitId(node.id.removeprefix(UNIT_PREFIX)),
        document=DocumentId(document),
        span=Span(start=start, end=end),
        heading=tuple(each for each in heading if isinstance(each, str)) if isinstance(heading, list) else (),
        text=text,
        suspicious=bool(said.get("suspicious")),
    )
