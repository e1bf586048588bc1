"""The store that OPAL's client pushes to, with the routes and statuses of cedar-agent, on a listener of its own.

OPAL's client takes 200 and 400 for the answer to a policy, and 204 and 404 for that to a deletion. Anything else it
tries once more, and then it gives up the whole push: so what is for the moment is no 400, and what is broken is one.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import unquote_plus

import structlog

from aeterna.cedar.domain.bundle import ENTITIES_FILE
from aeterna.cedar.errors import BundleInvalidError
from aeterna.policy.api import admin_documents as documents
from aeterna.policy.api.problem import STATUSES
from aeterna.policy.domain.staged_set import PUSHED_SCHEMA
from aeterna.policy.errors import PolicyError, PushRefusedError
from aeterna.service.asgi import header, send_bytes
from aeterna.service.errors import ServiceError, TokenInvalidError, TokenMissingError
from aeterna.service.problem import problem_of, problem_of_status, send_problem, unexpected
from aeterna.service.trace import enter_trace, trace_id_of
from aeterna.service.whole_body import whole_body

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from datetime import timedelta

    from aeterna.policy.usecases.publishing import Publisher
    from aeterna.policy.usecases.staging import Staging
    from aeterna.service.asgi import Receive, Scope, Send

_JSON: Final = "application/json"
_ROOT: Final = re.compile(rb"/v1/?")
_POLICIES: Final = re.compile(rb"/v1/policies/?")
_POLICY: Final = re.compile(rb"/v1/policies/([^/]+)")
_DATA: Final = re.compile(rb"/v1/data/?")
_SCHEMA: Final = re.compile(rb"/v1/schema/?")
_STATUS: Final = re.compile(rb"/v1/status")
_CLOSE: Final = {"Connection": "close"}
_NO_CONTENT: Final = 204
# Status and body of an answer.
_Answer: TypeAlias = tuple[int, bytes]

log = structlog.stdlib.get_logger(__name__)


class AdminApp:
    """Takes pushes into the staged set; what is decided by changes only when that has settled."""

    def __init__(
        self,
        staging: Staging,
        publisher: Publisher,
        *,
        matches: Callable[[bytes], bool] | None,
        max_body_bytes: int,
        timeout: timedelta,
    ) -> None:
        """Take what says whether a token is the right one, or None where the socket's permissions are the proof."""
        self._staging = staging
        self._publisher = publisher
        self._matches = matches
        self._max_body_bytes = max_body_bytes
        self._timeout = timeout
        self._routes: tuple[tuple[re.Pattern[bytes], Mapping[str, Callable[[str, bytes], _Answer]]], ...] = (
            (_POLICIES, {"GET": self._list, "PUT": self._put_all}),
            (_POLICY, {"GET": self._get, "PUT": self._put, "DELETE": self._delete}),
            (_DATA, {"GET": self._get_data, "PUT": self._put_data, "DELETE": self._delete_data}),
            (_SCHEMA, {"GET": self._get_schema, "PUT": self._put_schema, "DELETE": self._delete_schema}),
            (_STATUS, {"GET": self._status}),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        enter_trace(trace_id_of(header(scope, b"traceparent")))
        try:
            await self._answer(scope, receive, send)
        except (PolicyError, ServiceError) as exc:
            await self._refuse(scope, send, exc)
        except Exception:
            log.exception("request.failed")
            await send_problem(send, unexpected(), scope["path"], _CLOSE)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: bytes = scope["raw_path"]
        method: str = scope["method"]
        if _ROOT.fullmatch(path) and method in {"GET", "HEAD"}:
            # The probe, which OPAL's client sends without its token.
            await send_bytes(send, 200, _JSON, b'{"status":"ok"}')
            return
        self._check_token(scope)
        for pattern, methods in self._routes:
            found = pattern.fullmatch(path)
            if found is None:
                continue
            handler = methods.get(method)
            if handler is None:
                allowed = {"Allow": ", ".join(methods)}
                await send_problem(send, problem_of_status(405, headers=allowed), scope["path"], _CLOSE)
                return
            # OPAL's client quotes an id as a form does; the raw path tells `%2F` from `/`.
            id_ = unquote_plus(found[1].decode("ascii", "replace")) if found.groups() else ""
            status, body = handler(id_, await self._body(pattern, id_, scope, receive) if method == "PUT" else b"")
            await (send_bytes(send, status, _JSON, body) if status != _NO_CONTENT else _send_empty(send, status))
            return
        await send_problem(send, problem_of_status(404), scope["path"], _CLOSE)

    def _check_token(self, scope: Scope) -> None:
        if self._matches is None:
            return
        scheme, _, token = (header(scope, b"authorization") or b"").partition(b" ")
        if scheme.lower() != b"bearer" or not token:
            raise TokenMissingError
        if not self._matches(token.strip()):
            raise TokenInvalidError("the token is not that of this store")

    async def _body(self, pattern: re.Pattern[bytes], id_: str, scope: Scope, receive: Receive) -> bytes:
        """Return the body; one that cannot be taken spoils the set, or a policy would be missing in silence."""
        try:
            hung_up = PushRefusedError("push", "the caller hung up in the middle of it")
            return await whole_body(receive, max_bytes=self._max_body_bytes, within=self._timeout, hung_up=hung_up)
        except (ServiceError, PushRefusedError) as exc:
            where = {_POLICY: id_, _DATA: ENTITIES_FILE, _SCHEMA: PUSHED_SCHEMA}.get(pattern)
            if where is not None:
                self._staging.spoil(where, str(exc))
            log.warning("policy.push_refused", path=scope["path"][:200], reason=str(exc))
            raise

    async def _refuse(self, scope: Scope, send: Send, error: PolicyError | ServiceError) -> None:
        # What was refused before its end leaves the rest of it in the connection.
        await send_problem(send, problem_of(error, STATUSES), scope["path"], _CLOSE)

    def _list(self, _id: str, _body: bytes) -> _Answer:
        return 200, documents.written_policies(self._staging.policies())

    def _put_all(self, _id: str, body: bytes) -> _Answer:
        """Replace all policies and schemas, in one step."""
        texts = documents.policy_texts(body)
        for id_, text in texts.items():
            self._stage(id_, text)
        for id_ in self._staging.policies().keys() - texts.keys():
            self._staging.delete_policy(id_)
        return 200, documents.written_policies(texts)

    def _get(self, id_: str, _body: bytes) -> _Answer:
        text = self._staging.policy(id_)
        return (404, b"{}") if text is None else (200, documents.written_policy(id_, text))

    def _put(self, id_: str, body: bytes) -> _Answer:
        with self._spoilt_by_refusal(id_):
            text = documents.policy_text(id_, body)
        self._stage(id_, text)
        return 200, documents.written_policy(id_, text)

    def _delete(self, id_: str, _body: bytes) -> _Answer:
        return (_NO_CONTENT, b"") if self._staging.delete_policy(id_) else (404, b"{}")

    def _get_data(self, _id: str, _body: bytes) -> _Answer:
        return 200, documents.written_entities(self._staging.entities())

    def _put_data(self, _id: str, body: bytes) -> _Answer:
        with self._spoilt_by_refusal(ENTITIES_FILE):
            lists = documents.entity_lists(body)
        try:
            self._staging.put_entities(lists)
        except BundleInvalidError as exc:
            raise PushRefusedError(exc.where, exc.reason) from None
        return 200, b"{}"

    def _delete_data(self, _id: str, _body: bytes) -> _Answer:
        self._staging.put_entities({})
        return _NO_CONTENT, b""

    def _get_schema(self, _id: str, _body: bytes) -> _Answer:
        schemas = self._staging.schemas()
        return (200, documents.written_policies(schemas)) if schemas else (404, b"{}")

    def _put_schema(self, _id: str, body: bytes) -> _Answer:
        with self._spoilt_by_refusal(PUSHED_SCHEMA):
            text = documents.schema_text(PUSHED_SCHEMA, body)
        self._stage(PUSHED_SCHEMA, text)
        return 200, documents.written_policy(PUSHED_SCHEMA, text)

    def _delete_schema(self, _id: str, _body: bytes) -> _Answer:
        return (_NO_CONTENT, b"") if self._staging.delete_policy(PUSHED_SCHEMA) else (404, b"{}")

    def _status(self, _id: str, _body: bytes) -> _Answer:
        publications, state = self._publisher.publications, self._publisher.state
        return 200, documents.written_status(state, publications.current(), self._staging.spoilt, publications.fault)

    @contextmanager
    def _spoilt_by_refusal(self, where: str) -> Generator[None]:
        """Spoil this part of the set when what was pushed for it is refused."""
        try:
            yield
        except PushRefusedError as exc:
            self._staging.spoil(where, str(exc))
            raise

    def _stage(self, id_: str, text: str) -> None:
        try:
            self._staging.put_policy(id_, text)
        except BundleInvalidError as exc:
            log.warning("policy.push_refused", path=ascii(id_[:200]), reason=exc.reason)
            raise PushRefusedError(exc.where, exc.reason) from None


async def _send_empty(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})
