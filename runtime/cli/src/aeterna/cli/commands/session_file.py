"""Reads the file that `aeterna graph commit` takes into a session."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from aeterna.cli.errors import CommandError
from aeterna.client import Edge, Node, Session, UnreadableAnswerError
from aeterna.client.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable


def session_of(text: str, name: str, session_id: str | None) -> Session:
    """Return the session that a JSON text describes; raise `CommandError` naming the field that is wrong."""
    try:
        fields = Reader.of(text.encode(), name)
        session = Session(session_id or fields.optional_text("session_id") or str(uuid4()))
        for node in _items(fields, "nodes"):
            properties = node.object("properties")
            session.write(Node(id=node.text("id"), kind=node.text("kind"), properties=properties))
        for edge in _items(fields, "edges"):
            properties = edge.object("properties")
            source, type_, target = edge.text("source"), edge.text("type"), edge.text("target")
            session.link(Edge(source=source, type=type_, target=target, properties=properties))
        removed = Reader(fields.object("remove"), f"{name}.remove")
        for node_id in removed.texts("nodes") if removed.has("nodes") else ():
            session.remove_node(node_id)
        for edge in _items(removed, "edges"):
            session.remove_edge(edge.text("source"), edge.text("type"), edge.text("target"))
    except UnreadableAnswerError as malformed:
        hint = 'the shape is {"nodes": [{"id", "kind", "properties"}], "edges": [{"source", "type", "target"}]}'
        raise CommandError(f"{malformed.what} {malformed.problem}", hint) from malformed
    if not len(session):
        raise CommandError(f"{name} holds no change", 'write at least one of "nodes", "edges" and "remove"')
    return session


def _items(fields: Reader, field: str) -> Iterable[Reader]:
    return fields.readers(field) if fields.has(field) else ()
