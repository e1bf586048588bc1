"""The calls of knowledge: how each is asked and how its answer is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client.graph_operations import SEQ_HEADER, given, read
from aeterna.client.knowledge_values import (
    DocumentPage,
    DocumentUnit,
    Evidence,
    KnowledgeAnswer,
    KnownDocument,
    OpenedPlace,
    WrittenDocument,
)
from aeterna.client.operation import Operation, Reply, query, segment
from aeterna.client.reader import Reader

if TYPE_CHECKING:
    from aeterna.client.graph_operations import AsOf
    from aeterna.client.json_value import JsonValue

ROOT = "/api/v1/knowledge"
DOCUMENTS = f"{ROOT}/documents"


def put(document: str, content: bytes, *, name: str | None, media_type: str | None) -> Operation[WrittenDocument]:
    """Put a document; the same again changes nothing, so that a repetition is safe."""
    return Operation(
        service="graph",
        method="PUT",
        path=_path(document),
        query=query(name=name),
        headers={} if media_type is None else {"Content-Type": media_type},
        content=content,
        key=document,
        parse=_written,
    )


def delete(document: str) -> Operation[WrittenDocument]:
    """Delete a document; one that is not there is no error, so that a repetition is safe."""
    return Operation(service="graph", method="DELETE", path=_path(document), key=document, parse=_written)


def document(document: str, *, start: int | None, end: int | None, context: int | None) -> Operation[KnownDocument]:
    """Read a document, with a place of it opened."""
    return read(_path(document), _document, parameters=query(start=start, end=end, context=context))


def documents(*, prefix: str, limit: int | None, cursor: str | None) -> Operation[DocumentPage]:
    """Read a page of documents' ids."""
    return read(DOCUMENTS, _page, parameters=query(prefix=prefix or None, limit=limit, cursor=cursor))


def ask(
    question: str, *, limit: int | None, tokens: int | None, as_of: AsOf | None, fresh_as: int | None
) -> Operation[KnowledgeAnswer]:
    """Ask a question."""
    body: dict[str, JsonValue] = {"question": given("question", question)}
    body |= {} if limit is None else {"limit": limit}
    body |= {} if tokens is None else {"tokens": tokens}
    return read(f"{ROOT}/query", _answer, as_of=as_of, fresh_as=fresh_as, body=body)


def _path(document: str) -> str:
    return f"{DOCUMENTS}/{segment(given('document', document))}"


def _written(reply: Reply) -> WrittenDocument:
    fields = Reader.of(reply.body, "written document")
    return WrittenDocument(
        document=fields.text("document"),
        changed=fields.flag("changed"),
        visible=fields.flag("visible"),
        seq=fields.integer("seq"),
    )


def _document(reply: Reply) -> KnownDocument:
    fields = Reader.of(reply.body, "document")
    place = fields.object("opened")
    return KnownDocument(
        document=fields.text("document"),
        title=fields.text("title"),
        media_type=fields.text("media_type"),
        characters=fields.integer("characters"),
        warnings=fields.texts("warnings"),
        put_by=fields.text("put_by"),
        put_at=fields.time("put_at"),
        units=tuple(
            DocumentUnit(
                id=item.text("id"),
                start=item.integer("start"),
                end=item.integer("end"),
                heading=item.texts("heading"),
                suspicious=item.flag("suspicious"),
            )
            for item in fields.readers("units")
        ),
        opened=_place(Reader(place, "document.opened")) if place else None,
    )


def _place(fields: Reader) -> OpenedPlace:
    return OpenedPlace(
        start=fields.integer("start"),
        end=fields.integer("end"),
        before=fields.text("before"),
        text=fields.text("text"),
        after=fields.text("after"),
    )


def _page(reply: Reply) -> DocumentPage:
    fields = Reader.of(reply.body, "documents")
    return DocumentPage(documents=fields.texts("documents"), next_cursor=fields.optional_text("next_cursor"))


def _answer(reply: Reply) -> KnowledgeAnswer:
    fields = Reader.of(reply.body, "answer")
    trace = Reader(fields.object("trace"), "answer.trace")
    seq = reply.headers.get(SEQ_HEADER.lower(), "")
    return KnowledgeAnswer(
        evidence=tuple(
            Evidence(
                document=item.text("document"),
                unit=item.text("unit"),
                start=item.integer("start"),
                end=item.integer("end"),
                heading=item.texts("heading"),
                text=item.text("text"),
                suspicious=item.flag("suspicious"),
                score=item.number("score"),
            )
            for item in fields.readers("evidence")
        ),
        named=trace.texts("named"),
        tokens=trace.integer("tokens"),
        cut_short=trace.flag("cut_short"),
        seq=int(seq) if seq.isascii() and seq.isdigit() else 0,
    )
