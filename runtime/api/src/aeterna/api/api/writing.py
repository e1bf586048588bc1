"""Committing sessions over HTTP."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
import asyncio
from concurrent.futures import Future
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from aeterna.api.api.bodies import ReceiptBody, SessionBody
from aeterna.api.api.requests import SEQ_HEADER, SNAPSHOT_HEADER, graph_of, may_write
from aeterna.graph.domain.snapshots import Receipt
from aeterna.graph.errors import InvalidSessionError
from aeterna.service.caller import Caller

writing = APIRouter(prefix="/api/v1/graph", tags=["graph"])


def _without_references(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with its definitions in place: FastAPI collects those of parameters only."""
    definitions: dict[str, Any] = schema.pop("$defs", {})

    def in_place(part: object) -> Any:  # noqa: ANN401 - any JSON
        match part:
            case {"$ref": str(reference)}:
                others = {key: value for key, value in cast("dict[str, object]", part).items() if key != "$ref"}
                return in_place(definitions[reference.rsplit("/", 1)[1]] | others)
            case dict():
                return {key: in_place(value) for key, value in cast("dict[str, object]", part).items()}
            case list():
                return [in_place(value) for value in cast("list[object]", part)]
            case _:
                return part

    return in_place(schema)


# The route reads its body itself, so that parsing it can leave the event loop; this is what it would have said.
_DOCUMENTED: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _without_references(SessionBody.model_json_schema())}},
    }
}


@writing.post(
    "/sessions",
    status_code=201,
    response_model=ReceiptBody,
    responses={
        200: {"model": ReceiptBody, "description": "The session had been committed before; nothing was written."}
    },
    openapi_extra=_DOCUMENTED,
)
async def commit_session(
    request: Request,
    caller: Annotated[Caller, Depends(may_write)],
    idempotency_key: Annotated[str | None, Header(description="The session id, when the body has none.")] = None,
) -> Response:
    """Commit a session of changes, whole or not at all, and answer when it is durable.

    Repeating a session is safe: the same id with the same content answers with the first receipt, with other content
    it is a conflict.
    """
    body = await request.body()

    def queued() -> Future[Receipt]:
        # In a thread: parsing megabytes of JSON would stop every other request of this process.
        parsed = _parsed(body)
        session = parsed.session(_session_id(parsed, idempotency_key), caller.subject)
        return graph_of(request, caller).submit(session)

    receipt = await asyncio.wrap_future(await run_in_threadpool(queued))
    return Response(
        ReceiptBody.of(receipt).model_dump_json(),
        200 if receipt.repeated else 201,
        {SNAPSHOT_HEADER: str(receipt.snapshot_id), SEQ_HEADER: str(receipt.seq)},
        "application/json",
    )


def _parsed(body: bytes) -> SessionBody:
    try:
        return SessionBody.model_validate_json(body)
    except ValidationError as wrong:
        raise RequestValidationError(
            [
                {**error, "loc": ("body", *error["loc"])}
                for error in wrong.errors(include_url=False, include_input=False)
            ]
        ) from None


def _session_id(body: SessionBody, idempotency_key: str | None) -> str:
    if body.session_id is None and idempotency_key is None:
        raise InvalidSessionError("session_id", "is missing, and so is the header Idempotency-Key")
    if body.session_id is not None and idempotency_key is not None and body.session_id != idempotency_key:
        raise InvalidSessionError("session_id", "is not what the header Idempotency-Key says")
    return body.session_id or idempotency_key or ""
