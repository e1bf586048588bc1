"""What the reading process says to the one that asked, as JSON: a process that was taken over can say nothing worse."""

from __future__ import annotations

from typing import Any, Final, cast

import orjson

from aeterna.graph.domain.changes import EdgeKey
from aeterna.knowledge.adapters.documents.refusals import RefusedError
from aeterna.knowledge.domain.contributions import EdgePart, NodePart
from aeterna.knowledge.domain.documents import Block, BlockKind, Link, Parsed, Quoted, Section, Span, Symbol
from aeterna.knowledge.domain.tables import Table

MAX_PARTS: Final = 500_000
_PARSED = "parsed"
_TABLE = "table"
_REFUSED = "refused"


def answered(read: Parsed | Table) -> bytes:
    """Return what was read as JSON; raise `RefusedError` for what would fill the memory of who asked."""
    if isinstance(read, Parsed):
        parts = sum(map(len, (read.blocks, read.sections, read.links, read.quoted, read.symbols, read.markup)))
        if parts > MAX_PARTS:
            raise RefusedError(f"has {parts} paragraphs, links and pieces of code, at most {MAX_PARTS} are read")
        return orjson.dumps({_PARSED: read})
    edges = [(tuple(edge.key), edge.weight, edge.properties) for edge in read.edges]
    nodes = [(node.id, node.kind, node.properties) for node in read.nodes]
    return orjson.dumps({_TABLE: (read.media_type, read.title, nodes, edges, read.warnings)})


def refused(reason: str) -> bytes:
    """Return a refusal as JSON."""
    return orjson.dumps({_REFUSED: reason})


def understood(answer: bytes) -> Parsed | Table:
    """Return what was read; raise `RefusedError` where it was not."""
    try:
        # Any: JSON, which the constructors below take apart field by field.
        said = cast("dict[str, Any]", orjson.loads(answer))
        if _REFUSED not in said:
            return _parsed(said[_PARSED]) if _PARSED in said else _table(said[_TABLE])
        reason = str(said[_REFUSED])
    except (ValueError, TypeError, LookupError) as problem:
        raise RefusedError("broke its reader, which answered what is no document") from problem
    raise RefusedError(reason)


def _parsed(said: dict[str, Any]) -> Parsed:
    return Parsed(
        media_type=said["media_type"],
        title=said["title"],
        text=said["text"],
        blocks=tuple(Block(span=_span(each), kind=BlockKind(each["kind"])) for each in said["blocks"]),
        sections=tuple(
            Section(span=_span(each), level=each["level"], title=each["title"]) for each in said["sections"]
        ),
        links=tuple(Link(span=_span(each), target=each["target"], text=each["text"]) for each in said["links"]),
        quoted=tuple(Quoted(span=_span(each), text=each["text"]) for each in said["quoted"]),
        symbols=tuple(Symbol(span=_span(each), name=each["name"], kind=each["kind"]) for each in said["symbols"]),
        markup=tuple(Span(**each) for each in said["markup"]),
        warnings=tuple(said["warnings"]),
    )


def _span(each: dict[str, Any]) -> Span:
    return Span(**each["span"])


def _table(said: list[Any]) -> Table:
    media_type, title, nodes, edges, warnings = said
    return Table(
        media_type=media_type,
        title=title,
        nodes=tuple(NodePart(id=id_, kind=kind, properties=properties) for id_, kind, properties in nodes),
        edges=tuple(
            EdgePart(key=EdgeKey(*key), weight=weight, properties=properties) for key, weight, properties in edges
        ),
        warnings=tuple(warnings),
    )
