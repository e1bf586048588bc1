"""Makes of a document that was read what it puts into the graph."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.changes import EdgeKey, JsonValue
from aeterna.graph.domain.identifiers import Label, NodeId
from aeterna.knowledge.domain.contributions import Contribution, EdgePart, NodePart
from aeterna.knowledge.domain.extraction import MAX_NAME_CHARS, MAX_PLACES, Mention, Mentions, mentions_of
from aeterna.knowledge.domain.references import linked_document
from aeterna.knowledge.domain.tables import Table
from aeterna.knowledge.domain.units import cut

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aeterna.knowledge.domain.documents import DocumentId, Parsed, Symbol, Unit, Upload

EXTRACTOR: Final = "1"
"""Raised whenever the same file would contribute something else than before, so that all are read again."""

DOCUMENT, TEXT_UNIT, TERM, SYMBOL = "Document", "TextUnit", "Term", "Symbol"
CONTAINS, MENTIONS, LINKS_TO, DEFINES, PART_OF = "contains", "mentions", "links_to", "defines", "part_of"
MAX_LINKS: Final = 1_000
MAX_SYMBOLS: Final = 5_000


def digest_of(upload: Upload) -> str:
    """Return what is the same when nothing would change by reading the document again."""
    told = hashlib.sha256()
    for part in (EXTRACTOR, upload.name, upload.media_type or "", upload.unreadable or ""):
        told.update(part.encode(errors="surrogatepass") + b"\0")
    told.update(upload.content)
    return told.hexdigest()


def contribution_of(read: Parsed | Table, upload: Upload) -> tuple[tuple[Unit, ...], Contribution]:
    """Return the units of a document and all that it says; a table says it itself and has no units."""
    parts = _Parts()
    units: tuple[Unit, ...] = ()
    if isinstance(read, Table):
        parts.take(read)
    else:
        units = cut(read, upload.id)
        _add_text(parts, read, upload, units)
    contribution = Contribution(
        document=upload.id,
        digest=digest_of(upload),
        nodes=tuple(parts.nodes.values()),
        edges=tuple(parts.edges.values()),
    )
    return units, contribution


def document_node(document: DocumentId) -> str:
    """Return the graph's id of a document."""
    return f"doc:{document}"


def unit_node(unit: Unit) -> str:
    """Return the graph's id of a unit."""
    return f"unit:{unit.id}"


def term_node(name: str) -> str:
    """Return the graph's id of a term by its normalised name."""
    return f"term:{name}"


def symbol_node(name: str) -> str:
    """Return the graph's id of a symbol by its qualified name."""
    return f"code:{name}"


class _Parts:
    """Nodes and edges, each once."""

    def __init__(self) -> None:
        self.nodes: dict[str, NodePart] = {}
        self.edges: dict[EdgeKey, EdgePart] = {}

    def take(self, table: Table) -> None:
        self.nodes.update((node.id, node) for node in table.nodes)
        self.edges.update((edge.key, edge) for edge in table.edges)

    def node(self, id_: str, kind: str, properties: dict[str, JsonValue] | None = None) -> None:
        """Add a node, unless more is known of it already."""
        if properties is not None or id_ not in self.nodes:
            self.nodes[id_] = NodePart(id=id_, kind=kind, properties=properties or {})

    def edge(
        self, source: str, type_: str, target: str, weight: float = 1.0, places: Iterable[tuple[int, int]] = ()
    ) -> None:
        key = EdgeKey(NodeId(source), Label(type_), NodeId(target))
        shown: list[JsonValue] = [[start, end] for start, end in places]
        self.edges[key] = EdgePart(key=key, weight=weight, properties={"places": shown} if shown else {})


def _add_text(parts: _Parts, parsed: Parsed, upload: Upload, units: tuple[Unit, ...]) -> None:
    document = document_node(upload.id)
    # The digest is the content's own: the node must not change with the reader's version alone.
    digest = hashlib.sha256(upload.content).hexdigest()
    parts.node(document, DOCUMENT, {"name": parsed.title, "media_type": parsed.media_type, "digest": digest})
    for unit in units:
        parts.node(unit_node(unit), TEXT_UNIT, _unit_properties(unit, parsed.title))
        parts.edge(document, CONTAINS, unit_node(unit))
    _add_symbols(parts, document, parsed.symbols)
    for unit, mentions in zip(units, mentions_of(parsed, units), strict=True):
        _add_mentions(parts, unit, mentions)
    _add_links(parts, parsed, upload.id)


def _unit_properties(unit: Unit, title: str) -> dict[str, JsonValue]:
    properties: dict[str, JsonValue] = {
        "text": unit.text,
        "document": unit.document,
        "start": unit.span.start,
        "end": unit.span.end,
        "heading": list(unit.heading),
        "name": unit.heading[-1] if unit.heading else title,
    }
    if unit.suspicious:
        properties["suspicious"] = list(unit.suspicious)
    return properties


def _add_mentions(parts: _Parts, unit: Unit, mentions: Mentions) -> None:
    for term in mentions.terms:
        parts.node(term_node(term.name), TERM, {"name": term.name})
        _add_mention(parts, unit, term_node(term.name), term)
    for symbol in mentions.symbols:
        if symbol_node(symbol.name) not in parts.nodes:
            parts.node(symbol_node(symbol.name), SYMBOL, {"name": symbol.name})
        _add_mention(parts, unit, symbol_node(symbol.name), symbol)


def _add_mention(parts: _Parts, unit: Unit, target: str, mention: Mention) -> None:
    parts.edge(unit_node(unit), MENTIONS, target, mention.weight, mention.places)


def _add_symbols(parts: _Parts, document: str, symbols: tuple[Symbol, ...]) -> None:
    places: dict[str, list[tuple[int, int]]] = {}
    for symbol in symbols[:MAX_SYMBOLS]:
        if len(symbol.name) > MAX_NAME_CHARS:
            continue
        if symbol.name not in places:
            parts.node(symbol_node(symbol.name), SYMBOL, {"name": symbol.name, "symbol": symbol.kind})
        places.setdefault(symbol.name, []).append((symbol.span.start, symbol.span.end))
    for name, where in places.items():
        parts.edge(document, DEFINES, symbol_node(name), places=where[:MAX_PLACES])
        whole = name.rpartition(".")[0]
        if whole in places:
            parts.edge(symbol_node(name), PART_OF, symbol_node(whole))


def _add_links(parts: _Parts, parsed: Parsed, document: DocumentId) -> None:
    places: dict[DocumentId, list[tuple[int, int]]] = {}
    for link in parsed.links:
        target = linked_document(document, link.target)
        if target is not None and (target in places or len(places) < MAX_LINKS):
            places.setdefault(target, []).append((link.span.start, link.span.end))
    for target, where in places.items():
        parts.node(document_node(target), DOCUMENT)
        parts.edge(document_node(document), LINKS_TO, document_node(target), math.sqrt(len(where)), where[:MAX_PLACES])
