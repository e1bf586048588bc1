"""ASGI middleware that asks before an application runs, in front of any framework; what is unclear does not pass."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from aeterna.enforcement.errors import DecisionUnavailableError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from aeterna.enforcement.ports import Evaluator
    from aeterna.enforcement.question import Question

# The specification's own types (asgiref 3.0): a scope and a message are open mappings, and frameworks type them so.
# The specification's own types: a scope and a message are open mappings, and frameworks type them so.
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
QuestionOf: TypeAlias = Callable[[Scope], "Question | Awaitable[Question | None] | None"]

_POLICY_VIOLATION: Final = 1008
_TITLES: Final = {
    "policy.denied": "The policy does not let this caller do this.",
    "policy.unavailable": "The policy decision point did not give a clear answer, and doubt is a deny.",
}

log = logging.getLogger(__name__)


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return a header that was sent exactly once; an ambiguous one counts as absent. The name is in lower case."""
    found = [value for key, value in scope["headers"] if key == name]
    return found[0] if len(found) == 1 else None


class Enforcement:
    """Passes a request on when the decision point permits what it is about; otherwise answers it.

    ``question_of`` says what a request is about, from its scope alone; None is a request that nothing can be asked
    about, which is denied. A deny is 403, doubt is 503, each a problem document (RFC 9457); a WebSocket is closed with
    1008 before it is accepted. Requests for the ``excluded`` paths are not asked about: a path is one of them letter by
    letter, and only if it was sent so, without any escape.
    """

    def __init__(
        self, app: App, client: Evaluator, *, question_of: QuestionOf, excluded: AbstractSet[str] = frozenset()
    ) -> None:
        self._app = app
        self._client = client
        self._question_of = question_of
        self._excluded = frozenset(excluded)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and self._is_excluded(scope)):
            await self._app(scope, receive, send)
            return
        if scope["type"] not in {"http", "websocket"}:
            # A kind that did not exist when this was written cannot be asked about, so it does not pass.
            raise DecisionUnavailableError(f"no question is known for connections of the type {scope['type']!r}")
        refusal = await self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await _answer(send, scope, *refusal)
        else:
            await _close(receive, send)

    async def _refusal(self, scope: Scope) -> tuple[HTTPStatus, str, str] | None:
        """Return why the request does not pass, or None when it was permitted."""
        try:
            question = self._question_of(scope)
            if inspect.isawaitable(question):
                question = await question
            if question is None:
                return HTTPStatus.FORBIDDEN, "policy.denied", "nothing permits this request"
            decision = await self._client.evaluation(question)
        except DecisionUnavailableError as exc:
            return HTTPStatus.SERVICE_UNAVAILABLE, exc.code, str(exc)
        except Exception:
            # The edge: whatever failed here, nobody has said that this is allowed. No detail, it may hold a secret.
            log.exception("no decision was reached")
            return HTTPStatus.SERVICE_UNAVAILABLE, "policy.unavailable", "the question could not be asked"
        if decision.allowed is True:
            return None
        action = f"{question.action} on {question.resource.type} {question.resource.id!r}"
        return HTTPStatus.FORBIDDEN, "policy.denied", f"{action} is not permitted to this caller"

    def _is_excluded(self, scope: Scope) -> bool:
        path = scope["path"]
        if path not in self._excluded or scope.get("root_path"):
            # Behind a mount the application sees another path than we do.
            return False
        raw = scope.get("raw_path")
        return raw is None or raw.partition(b"?")[0] == path.encode("utf-8")


async def _answer(send: Send, scope: Scope, status: HTTPStatus, code: str, detail: str) -> None:
    problem = {
        "type": f"urn:aeterna:problem:{code}",
        "title": _TITLES[code],
        "status": status.value,
        "detail": detail,
        "instance": scope["path"],
        "code": code,
    }
    # ASCII only: a lone surrogate in a path would otherwise make the problem itself unencodable.
    body = json.dumps(problem, ensure_ascii=True).encode("ascii")
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def _close(receive: Receive, send: Send) -> None:
    """Refuse a WebSocket before it is accepted, which a server answers with 403."""
    await receive()
    await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
