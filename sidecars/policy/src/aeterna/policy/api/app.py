"""The sidecar's HTTP face on raw ASGI: a decision costs tens of microseconds here, a framework's routing would too."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import re
import signal
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.policy.api import authzen, cedar_agent, epochs
from aeterna.policy.api.openapi import OPENAPI, document
from aeterna.policy.api.problem import STATUSES
from aeterna.policy.domain.tally import MALFORMED, PROCESS
from aeterna.policy.errors import MediaTypeError, PolicyError, QuestionMalformedError
from aeterna.policy.usecases.auditing import NOT_AUDITED
from aeterna.service.asgi import header, send_bytes
from aeterna.service.beside import Beside
from aeterna.service.errors import NotReadyError, RequestTimeoutError, RequestTooLargeError, ServiceError
from aeterna.service.health import PATHS, Health, ProbesOnly
from aeterna.service.lifecycle import Drain
from aeterna.service.problem import problem_of, problem_of_status, send_problem, unexpected
from aeterna.service.tls import ServingCertificate
from aeterna.service.trace import enter_trace, trace_id_of
from aeterna.service.whole_body import whole_body

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from prometheus_client import CollectorRegistry

    from aeterna.policy.domain.decision import Decision
    from aeterna.policy.domain.question import Question
    from aeterna.policy.settings import PolicySettings
    from aeterna.policy.usecases.auditing import Audit
    from aeterna.policy.usecases.decide import Decider
    from aeterna.policy.usecases.following import Follower
    from aeterna.service.asgi import Receive, Scope, Send
    from aeterna.service.direct import Headers

_NAME: Final = "aeterna-policy"
_JSON: Final = b"application/json"
_LINES: Final = b"content-type: application/json\r\ncache-control: no-store\r\n"
_REQUEST_ID: Final = b"x-request-id"
_TRACEPARENT: Final = b"traceparent"
# What is echoed goes into a header: printable ASCII of a sane length, or it is not echoed.
_ECHOED: Final = re.compile(rb"[\x21-\x7e]{1,128}")
_CLOSE: Final = {"Connection": "close"}
# So many evaluations are made before others get their turn: a batch must not be what makes a single question late.
_AT_ONCE: Final = 8

log = structlog.stdlib.get_logger(__name__)


class PolicyApp:
    """Answers AuthZEN and cedar-agent questions and the platform's probes, and follows what is published meanwhile.

    ``beside`` is what else runs as long as the application does; ``refresh`` is called on SIGHUP. ``probes`` listens
    for the platform's probes alone.
    """

    def __init__(  # noqa: PLR0913 - what the process is composed of
        self,
        decider: Decider,
        follower: Follower,
        *,
        settings: PolicySettings,
        registry: CollectorRegistry,
        audit: Audit = NOT_AUDITED,
        beside: Sequence[Callable[[], Awaitable[None]]] = (),
        refresh: Callable[[], Awaitable[None]] | None = None,
        notes: Callable[[], Mapping[str, object]] = dict[str, object],
        probes: socket.socket | None = None,
    ) -> None:
        self._decider = decider
        self._follower = follower
        self._audit = audit
        self._beside = beside
        self._refresh = refresh
        self._probes = probes
        self._max_body_bytes = settings.max_body_bytes
        self._max_evaluations = settings.max_evaluations
        self._timeout = settings.request_timeout
        self._documents = {
            authzen.METADATA: authzen.metadata(settings.public_url or _address(settings)),
            OPENAPI: document(max_evaluations=settings.max_evaluations),
        }
        self._posts = {
            authzen.EVALUATION: self._evaluation,
            authzen.EVALUATIONS: self._evaluations,
            cedar_agent.IS_AUTHORIZED: self._is_authorized,
        }
        self.direct_targets = frozenset({authzen.EVALUATION.encode()})
        self.drain = Drain()
        self.tls = ServingCertificate.of(settings, registry)
        self._rest = Health(
            self._others,
            name=_NAME,
            version=importlib.metadata.version(_NAME),
            checks={"policies": self._check},
            drain=self.drain,
            registry=registry,
            notes=lambda: {**notes(), **(self.tls.notes() if self.tls is not None else {})},
        )

    @property
    def routes(self) -> frozenset[str]:
        """The paths that are answered."""
        return frozenset({*self._posts, *self._documents, *PATHS, epochs.EPOCHS})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in self._posts:
            await self._post(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await self._rest(scope, receive, send)

    def direct(self, target: bytes, headers: Headers, body: bytes) -> tuple[bytes, bytes] | None:
        """Answer an evaluation without waiting; what is out of the ordinary or wrong goes the usual way."""
        del target
        lines = _LINES
        typed = False
        for name, value in headers:
            if name == b"content-type":
                if typed or value != _JSON:
                    return None
                typed = True
            elif name == _REQUEST_ID:
                if lines is not _LINES or not _ECHOED.fullmatch(value):
                    return None
                lines = b"%bx-request-id: %b\r\n" % (_LINES, value)
        if not typed or len(body) > self._max_body_bytes:
            return None
        try:
            return lines, self._answer(body, headers)
        except Exception:  # noqa: BLE001 - the usual way meets it again, and knows what to say of it
            return None

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self._posts[scope["path"]](await self._body(scope, receive), scope["headers"])
        except (PolicyError, ServiceError) as exc:
            self._decider.tally.words[MALFORMED] += 1
            await self._refuse(scope, send, exc)
            return
        except Exception:
            # The edge of the process, and fail closed: an unforeseen failure is no decision, and a 500 is no permit.
            log.exception("request.failed")
            await send_problem(send, unexpected(), scope["path"])
            return
        headers = [
            (b"content-type", _JSON),
            (b"cache-control", b"no-store"),
            (b"content-length", b"%d" % len(body)),
            *_echoed(scope),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _evaluation(self, body: bytes, headers: Headers) -> bytes:
        return self._answer(body, headers)

    def _answer(self, body: bytes, headers: Headers) -> bytes:
        # The body itself tells the question: equal bytes are parsed to equal questions, and need not be parsed again.
        key = b"a" + body
        recalled = self._decider.recall(key)
        if recalled is not None and self._audit is NOT_AUDITED:
            return authzen.completed(recalled[0], recalled[1])
        if recalled is not None and (told := self._decider.told(key)) is not None:
            question, decision = told
            written, age = recalled
        else:
            question = authzen.question(body)
            decision = self._decider.decide(question, key)
            written, age = authzen.written(decision), decision.age
            # Kept only for the log: ten thousand questions are some megabytes.
            self._decider.keep_written(key, written, None if self._audit is NOT_AUDITED else (question, decision))
        audited = self._audited(question, decision, headers)
        return authzen.completed(written, age) if audited is decision else authzen.answer(audited)

    def _decided(self, question: Question, headers: Headers, key: bytes | None = None) -> Decision:
        return self._audited(question, self._decider.decide(question, key), headers)

    def _audited(self, question: Question, decision: Decision, headers: Headers) -> Decision:
        """Return the decision as it may be answered, after it was given to the log."""
        if self._audit is NOT_AUDITED:
            return decision
        traceparent = next((value for name, value in headers if name == _TRACEPARENT), None)
        trace_id = trace_id_of(traceparent) if traceparent is not None else None
        return self._audit.audited(question, decision, trace_id)

    async def _evaluations(self, body: bytes, headers: Headers) -> bytes:
        asked = authzen.batch(body, limit=self._max_evaluations)
        if not isinstance(asked, authzen.Batch):
            return authzen.answer(self._decided(asked, headers))
        answers: list[bytes] = []
        for evaluation in asked.evaluations:
            if len(answers) % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
            allowed, answer = self._one(evaluation, headers)
            answers.append(answer)
            if allowed is asked.stops_after:
                break
        return authzen.answers(answers)

    def _one(self, evaluation: authzen.Evaluation, headers: Headers) -> tuple[bool, bytes]:
        """Decide one evaluation of several; one that is none is a deny of its own."""
        if not isinstance(evaluation, QuestionMalformedError):
            try:
                decision = self._decided(evaluation, headers)
            except QuestionMalformedError as exc:
                evaluation = exc
            else:
                return decision.allowed, authzen.answer(decision)
        self._decider.tally.words[MALFORMED] += 1
        return False, authzen.refusal(evaluation)

    async def _is_authorized(self, body: bytes, headers: Headers) -> bytes:
        return cedar_agent.answer(self._decided(cedar_agent.question(body), headers, b"c" + body))

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """Return the body, or raise what is wrong with it."""
        media_type = header(scope, b"content-type") or b""
        if media_type.partition(b";")[0].strip().lower() != _JSON:
            raise MediaTypeError
        hung_up = QuestionMalformedError("the caller hung up")
        return await whole_body(receive, max_bytes=self._max_body_bytes, within=self._timeout, hung_up=hung_up)

    async def _refuse(self, scope: Scope, send: Send, error: PolicyError | ServiceError) -> None:
        enter_trace(trace_id_of(header(scope, b"traceparent")))
        unread = isinstance(error, RequestTooLargeError | RequestTimeoutError | MediaTypeError)
        headers = {name.decode(): value.decode() for name, value in _echoed(scope)}
        await send_problem(send, problem_of(error, STATUSES), scope["path"], headers | (_CLOSE if unread else {}))

    async def _others(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the documents and the epochs, and what is nowhere or is asked for with another method."""
        path, method = scope["path"], scope["method"]
        if method in {"GET", "HEAD"} and path in self._documents:
            await send_bytes(send, 200, _JSON.decode(), self._documents[path])
            return
        if method == "GET" and path == epochs.EPOCHS:
            await epochs.stream(self._decider, self.drain, receive, send)
            return
        enter_trace(trace_id_of(header(scope, b"traceparent")))
        allowed = self._methods(path)
        problem = problem_of_status(404) if allowed is None else problem_of_status(405, headers={"Allow": allowed})
        await send_problem(send, problem, path)

    def _methods(self, path: str) -> str | None:
        if path in self._posts:
            return "POST"
        if path in self._documents or path in PATHS:
            return "GET, HEAD"
        return "GET" if path == epochs.EPOCHS else None

    async def _check(self) -> None:
        trouble = self._decider.trouble
        if trouble is not None:
            raise NotReadyError({"policies": trouble})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """Follow what is published from startup to shutdown."""
        await receive()
        beside = [self._follower.run, *self._beside]
        if self._probes is not None:
            beside.append(Beside(ProbesOnly(self._rest), listener=self._probes).run)
        running = [asyncio.ensure_future(run()) for run in beside]
        loop = asyncio.get_running_loop()
        hangups = asyncio.Event()
        loop.add_signal_handler(signal.SIGHUP, hangups.set)
        running.append(asyncio.ensure_future(self._refreshed(hangups)))
        # Whoever would send the signal must know that it would no longer end the process.
        self._decider.tally.words[PROCESS] = os.getpid()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        loop.remove_signal_handler(signal.SIGHUP)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.to_thread(self._audit.close)
        await send({"type": "lifespan.shutdown.complete"})

    async def _refreshed(self, hangups: asyncio.Event) -> None:
        while True:
            await hangups.wait()
            hangups.clear()
            if self._refresh is not None:
                await self._refresh()
            self._follower.wake()


def _address(settings: PolicySettings) -> str:
    scheme = "http" if settings.tls_certificate_file is None else "https"
    return f"{scheme}://{settings.host}:{settings.port}"


def _echoed(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Return the caller's request id, which AuthZEN (section 10.1) wants back, if it is fit to be sent."""
    request_id = header(scope, _REQUEST_ID)
    return [(_REQUEST_ID, request_id)] if request_id is not None and _ECHOED.fullmatch(request_id) else []
