"""Knowledge over HTTP: put documents, open what citations name, and ask."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from aeterna.api.api.knowledge_bodies import AnswerBody, DocumentBody, DocumentsBody, QuestionBody, WrittenBody
from aeterna.api.api.reading import Moment, Reader, Seen
from aeterna.api.api.requests import SEQ_HEADER, may_write
from aeterna.api.errors import KnowledgeNotConfiguredError
from aeterna.graph.domain.identifiers import TenantId, problem_of_id, tenant_id
from aeterna.graph.errors import InvalidQueryError
from aeterna.knowledge.domain.documents import MAX_DOCUMENT_ID_CHARS, DocumentId, Span, Upload
from aeterna.knowledge.domain.entries import Kept
from aeterna.knowledge.domain.opened import MAX_CONTEXT_CHARS, MAX_OPENED_CHARS, Opened, opened
from aeterna.knowledge.usecases.knowledge import MAX_PAGE, Knowledge
from aeterna.service.caller import Caller


def knowledge_of(request: Request) -> Knowledge:
    """Return the knowledge of this process; raise `KnowledgeNotConfiguredError` where it is off."""
    knowledge = cast("Knowledge | None", request.app.state.knowledge)
    if knowledge is None:
        raise KnowledgeNotConfiguredError
    return knowledge


def document_id(text: str, parameter: str) -> DocumentId:
    """Read an id, or a part of one; raise `InvalidQueryError` for what no document has."""
    problem = problem_of_id(text, MAX_DOCUMENT_ID_CHARS)
    if problem is not None:
        raise InvalidQueryError(parameter, problem)
    return DocumentId(text)


def place_of(kept: Kept, *, start: int, end: int, context: int) -> Opened:
    """Open a place of a document; raise `InvalidQueryError` for one that its text does not have."""
    if end < start or start > len(kept.text):
        raise InvalidQueryError("start", f"is behind end, or behind the text's {len(kept.text)} characters")
    return opened(kept.text, Span(start=start, end=end), context=context)


def _document(
    document: Annotated[
        str,
        Path(
            description=f"The id that you give the document, such as its path: 1 to {MAX_DOCUMENT_ID_CHARS} characters,"
            " and slashes may stand as they are.",
            examples=["docs/guide/graph.md"],
        ),
    ],
) -> DocumentId:
    return document_id(document, "document")


knowing = APIRouter(prefix="/api/v1/knowledge", tags=["knowledge"])

Writer = Annotated[Caller, Depends(may_write)]
Known = Annotated[Knowledge, Depends(knowledge_of)]
Document = Annotated[DocumentId, Depends(_document)]
_FILE: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The file as it is: Markdown, HTML, plain text, source code, or tables as CSV or Parquet.",
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}
# What clients send where nobody said what it is; the file's name then tells more.
_SAYS_NOTHING: Final = frozenset({"", "application/octet-stream", "application/x-www-form-urlencoded"})


@knowing.put("/documents/{document:path}", response_model=WrittenBody, openapi_extra=_FILE)
async def put_document(
    request: Request,
    caller: Writer,
    knowledge: Known,
    document: Document,
    name: Annotated[
        str | None, Query(max_length=1_000, description="The file's name, whose ending tells its kind; else the id.")
    ] = None,
    content_type: Annotated[str, Header(description="Its kind, where the name does not tell; this one wins.")] = "",
) -> Response:
    """Put a document in the place of what it said before, and answer when questions find it.

    The same document again changes nothing. Repeating the request is safe.
    """
    upload = Upload(
        id=document,
        content=await request.body(),
        name=name or document,
        media_type=None if content_type.partition(";")[0].strip().lower() in _SAYS_NOTHING else content_type,
    )
    written = await knowledge.put(_tenant(caller), upload, by=caller.subject)
    return _written(WrittenBody.of(document, written))


@knowing.delete("/documents/{document:path}", response_model=WrittenBody)
async def delete_document(caller: Writer, knowledge: Known, document: Document) -> Response:
    """Remove a document and exactly what only it said; one that is not there changes nothing.

    The past still shows what it said to those who ask with as_of; an erasure of the graph ends that.
    """
    written = await knowledge.delete(_tenant(caller), document, by=caller.subject)
    return _written(WrittenBody.of(document, written))


@knowing.get("/documents")
async def list_documents(
    caller: Reader,
    knowledge: Known,
    prefix: Annotated[str, Query(max_length=MAX_DOCUMENT_ID_CHARS, description="What the ids begin with.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Documents a page.")] = 100,
    cursor: Annotated[
        str | None, Query(max_length=MAX_DOCUMENT_ID_CHARS, description="The next_cursor of the page before.")
    ] = None,
) -> DocumentsBody:
    """List documents by their ids."""
    after = None if cursor is None else document_id(cursor, "cursor")
    if prefix:
        document_id(prefix, "prefix")
    return DocumentsBody.of(await knowledge.documents(_tenant(caller), prefix=prefix, after=after, limit=limit))


@knowing.get("/documents/{document:path}", response_model=DocumentBody)
async def read_document(
    caller: Reader,
    knowledge: Known,
    document: Document,
    start: Annotated[int | None, Query(ge=0, description="Open the text from this character on.")] = None,
    end: Annotated[
        int | None, Query(ge=0, description=f"To this one; at most {MAX_OPENED_CHARS} are returned.")
    ] = None,
    context: Annotated[int, Query(ge=0, le=MAX_CONTEXT_CHARS, description="Characters before and behind it.")] = 200,
) -> Response:
    """Return a document as it is now; with start and end, as a citation has them, open that place."""
    kept = await knowledge.document(_tenant(caller), document)
    place = None
    if start is not None or end is not None:
        place = place_of(kept, start=start or 0, end=len(kept.text) if end is None else end, context=context)
    # In a thread: a long document has thousands of units.
    body = await run_in_threadpool(lambda: DocumentBody.of(kept, place).model_dump_json())
    return Response(body, media_type="application/json")


@knowing.post("/query", response_model=AnswerBody)
async def query_knowledge(
    caller: Reader, knowledge: Known, body: QuestionBody, as_of: Moment, at_least: Seen
) -> Response:
    """Return the passages that may answer a question, the best first, each with the place where it stands."""
    ranked = await knowledge.ask(_tenant(caller), body.question, limits=body.limits(), as_of=as_of, at_least=at_least)
    return _answered(AnswerBody.of(ranked), ranked.trace.seq)


def _tenant(caller: Caller) -> TenantId:
    return tenant_id(caller.tenant)


def _written(body: WrittenBody) -> Response:
    return _answered(body, body.seq)


def _answered(body: WrittenBody | AnswerBody, seq: int) -> Response:
    return Response(body.model_dump_json(), headers={SEQ_HEADER: str(seq)}, media_type="application/json")
