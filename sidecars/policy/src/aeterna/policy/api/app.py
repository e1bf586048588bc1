"""The sidecar's HTTP face on raw ASGI: a decision costs tens of microseconds here, a framework's routing would too."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.policy.api import authzen
from aeterna.policy.api.problem import STATUSES
from aeterna.policy.errors import MediaTypeError, PolicyError, QuestionMalformedError
from aeterna.service.asgi import header, send_bytes
from aeterna.service.errors import DecisionUnavailableError, RequestTimeoutError, RequestTooLargeError, ServiceError
from aeterna.service.health import Health
from aeterna.service.lifecycle import Drain
from aeterna.service.problem import problem_of, problem_of_status, send_problem, unexpected
from aeterna.service.trace import enter_trace, trace_id_of

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from aeterna.policy.api.metrics import DecisionMetrics
    from aeterna.policy.settings import PolicySettings
    from aeterna.policy.usecases.decide import Decider
    from aeterna.policy.usecases.refresh import Refresher
    from aeterna.service.asgi import Receive, Scope, Send

_JSON: Final = b"application/json"
_REQUEST_ID: Final = b"x-request-id"
# What is echoed goes into a header: printable ASCII of a sane length, or it is not echoed.
_ECHOED: Final = re.compile(rb"[\x21-\x7e]{1,128}")
_CLOSE: Final = {"Connection": "close"}

log = structlog.stdlib.get_logger(__name__)


class PolicyApp:
    """Answers AuthZEN evaluations, and the platform's probes; keeps its policies fresh while it runs."""

    def __init__(
        self,
        decider: Decider,
        refresher: Refresher,
        *,
        settings: PolicySettings,
        version: str,
        metrics: DecisionMetrics,
        registry: CollectorRegistry,
    ) -> None:
        self._decider = decider
        self._refresher = refresher
        self._metrics = metrics
        self._max_body_bytes = settings.max_body_bytes
        self._timeout = settings.request_timeout
        self._refresh_interval = settings.refresh_interval.total_seconds()
        self._metadata = authzen.metadata(settings.public_url or f"http://{settings.host}:{settings.port}")
        self.drain = Drain()
        self._rest = Health(
            self._others,
            name="aeterna-policy",
            version=version,
            checks={"bundle": self._check},
            drain=self.drain,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http" and scope["path"] == authzen.EVALUATION and scope["method"] == "POST":
            await self._evaluate(scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    async def _evaluate(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            question = authzen.question(await self._body(scope, receive))
            begun = time.perf_counter()
            decision = self._decider.decide(question)
            self._metrics.note(decision, time.perf_counter() - begun)
            body = authzen.answer(decision)
        except (PolicyError, ServiceError) as exc:
            self._metrics.malformed.inc()
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

    async def _body(self, scope: Scope, receive: Receive) -> bytes | bytearray:
        """Return the body, or raise what is wrong with it; the bytes are counted as they come."""
        media_type = header(scope, b"content-type") or b""
        if media_type.partition(b";")[0].strip().lower() != _JSON:
            raise MediaTypeError
        body = bytearray()
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise QuestionMalformedError("the caller hung up")
                    body += message.get("body", b"")
                    if len(body) > self._max_body_bytes:
                        raise RequestTooLargeError(self._max_body_bytes)
                    if not message.get("more_body", False):
                        return body
        except TimeoutError:
            raise RequestTimeoutError(self._timeout) from None

    async def _refuse(self, scope: Scope, send: Send, error: PolicyError | ServiceError) -> None:
        enter_trace(trace_id_of(header(scope, b"traceparent")))
        unread = isinstance(error, RequestTooLargeError | RequestTimeoutError | MediaTypeError)
        headers = {name.decode(): value.decode() for name, value in _echoed(scope)}
        await send_problem(send, problem_of(error, STATUSES), scope["path"], headers | (_CLOSE if unread else {}))

    async def _others(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer the metadata, and what is nowhere or is asked for with another method."""
        path, method = scope["path"], scope["method"]
        if path == authzen.METADATA and method in {"GET", "HEAD"}:
            await send_bytes(send, 200, _JSON.decode(), self._metadata)
            return
        enter_trace(trace_id_of(header(scope, b"traceparent")))
        allowed = {authzen.EVALUATION: "POST", authzen.METADATA: "GET, HEAD"}.get(path)
        problem = problem_of_status(404) if allowed is None else problem_of_status(405, headers={"Allow": allowed})
        await send_problem(send, problem, path)

    async def _check(self) -> None:
        if self._decider.stale:
            raise DecisionUnavailableError("the policies have not been confirmed for too long")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """Refresh the policies from startup to shutdown: at intervals, and at once on SIGHUP."""
        await receive()
        wake = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, wake.set)
        keeping_fresh = asyncio.create_task(self._keep_fresh(wake))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        keeping_fresh.cancel()
        loop.remove_signal_handler(signal.SIGHUP)
        await asyncio.gather(keeping_fresh, return_exceptions=True)
        await send({"type": "lifespan.shutdown.complete"})

    async def _keep_fresh(self, wake: asyncio.Event) -> None:
        while True:
            try:
                async with asyncio.timeout(self._refresh_interval):
                    await wake.wait()
            except TimeoutError:
                pass
            wake.clear()
            outcome = await self._refresher.refresh()
            self._metrics.refreshes.labels(outcome).inc()
            self._metrics.note_edition()


def _echoed(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Return the caller's request id, which AuthZEN (section 10.1) wants back, if it is fit to be sent."""
    request_id = header(scope, _REQUEST_ID)
    return [(_REQUEST_ID, request_id)] if request_id is not None and _ECHOED.fullmatch(request_id) else []
