"""The webhook on raw ASGI: an admission is some 100 microseconds of work, and pods come in storms."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from aeterna.injector.api.problem import STATUSES
from aeterna.injector.api.review import answer, read
from aeterna.injector.domain.admission import Admission, Result
from aeterna.injector.errors import AdmissionFailedError, InjectorError, ReviewMalformedError
from aeterna.service.asgi import header, send_bytes
from aeterna.service.errors import RequestTimeoutError, RequestTooLargeError, ServiceError
from aeterna.service.problem import problem_of, problem_of_status, send_problem
from aeterna.service.trace import enter_trace, trace_id_of
from aeterna.service.whole_body import whole_body

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Sequence

    from aeterna.injector.api.admission_metrics import AdmissionMetrics
    from aeterna.injector.settings import InjectorSettings
    from aeterna.injector.usecases.admitting import Admitter
    from aeterna.service.asgi import App, Receive, Scope, Send
    from aeterna.service.direct import Headers
    from aeterna.service.lifecycle import Drain

PATH: Final = "/inject"
# The API server says in the address how long it waits.
_TARGETS: Final = frozenset({PATH.encode(), *(f"{PATH}?timeout={seconds}s".encode() for seconds in range(1, 31))})
_JSON: Final = "application/json"
_LINES: Final = b"content-type: application/json\r\n"
_CLOSE: Final = {"Connection": "close"}
_SMALL_BYTES: Final = 64 * 1024
"""No more than what is read of a body before anybody asks for it."""
_LARGE_AT_ONCE: Final = 4
_NOT_A_POD: Final = Admission(result=Result.LEFT_ALONE, reason="not_a_pod")

log = structlog.stdlib.get_logger(__name__)


class Presented(Protocol):
    """What new connections are shown: its certificate changes while it serves."""

    context: ssl.SSLContext


class InjectorApp:
    """Answers reviews, and runs ``beside`` as long as it does; ``rest`` answers everything else, as probes are."""

    def __init__(
        self,
        admitter: Admitter,
        *,
        settings: InjectorSettings,
        metrics: AdmissionMetrics,
        rest: App,
        drain: Drain,
        beside: Sequence[Callable[[], Awaitable[None]]] = (),
        tls: Presented | None = None,
    ) -> None:
        self._admitter = admitter
        self._metrics = metrics
        self._max_body_bytes = settings.max_body_bytes
        self._timeout = settings.request_timeout
        self._beside = beside
        self._rest = rest
        self.drain = drain
        self.tls = tls
        self.direct_targets = _TARGETS
        # Whoever may make pods may make a hundred at once, of 3 MB each: together they would end the process.
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST":
            await self._inject(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await self._rest(scope, receive, send)

    def direct(self, target: bytes, headers: Headers, body: bytes) -> tuple[bytes, bytes] | None:
        """Answer a review without waiting; what cannot be answered with one goes the usual way."""
        del target, headers
        if len(body) > self._max_body_bytes:
            return None
        try:
            return _LINES, self._answer(body)
        except InjectorError:
            return None

    async def _inject(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        try:
            answered = self._answer(await self._body(scope, receive))
        except (InjectorError, ServiceError) as exc:
            # No id, no review: to the API server this is a failed call, to which it does what the policy says.
            self._metrics.admitted(self._admitter.refused(exc), time.perf_counter() - begun)
            log.warning("admission.unanswerable", code=exc.code, reason=str(exc))
            enter_trace(trace_id_of(header(scope, b"traceparent")))
            unread = isinstance(exc, RequestTooLargeError | RequestTimeoutError)
            await send_problem(send, problem_of(exc, STATUSES), scope["path"], _CLOSE if unread else {})
            return
        await send_bytes(send, 200, _JSON, answered)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """Return the body; large ones are read a few at a time, and the others wait unread."""
        hung_up = ReviewMalformedError("the caller hung up")
        length = header(scope, b"content-length")
        small = length is not None and length.isdigit() and int(length) <= _SMALL_BYTES
        if small:
            return await whole_body(receive, max_bytes=self._max_body_bytes, within=self._timeout, hung_up=hung_up)
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                await self._large.acquire()
        except TimeoutError:
            raise RequestTimeoutError(self._timeout) from None
        try:
            return await whole_body(receive, max_bytes=self._max_body_bytes, within=self._timeout, hung_up=hung_up)
        finally:
            self._large.release()

    def _answer(self, body: bytes) -> bytes:
        """Return the answer to a review; raise `ReviewMalformedError` only for one without an id."""
        begun = time.perf_counter()
        namespace = ""
        try:
            review = read(body)
        except ReviewMalformedError as exc:
            if exc.uid is None:
                raise
            uid, admission = exc.uid, self._admitter.refused(exc)
            answered = answer(uid, admission)
        else:
            uid, request = review.uid, review.request
            namespace = "" if request is None else request.namespace
            try:
                admission = _NOT_A_POD if request is None else self._admitter.admit(request)
                answered = answer(uid, admission)
            except Exception:
                # The edge of the process: whatever a pod may be, it gets an answer, and the policy says which.
                log.exception("admission.failed", uid=uid, namespace=namespace)
                admission = self._admitter.refused(AdmissionFailedError())
                answered = answer(uid, admission)
        if admission.message is not None:
            log.info(
                "admission.not_injected",
                uid=uid,
                namespace=namespace,
                result=admission.result.value,
                reason=admission.reason,
                message=admission.message,
            )
        self._metrics.admitted(admission, time.perf_counter() - begun)
        return answered

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """Run what runs beside from startup to shutdown."""
        await receive()
        running = [asyncio.ensure_future(run()) for run in self._beside]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await send({"type": "lifespan.shutdown.complete"})


async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer what is nowhere, or is asked for with another method."""
    del receive
    enter_trace(trace_id_of(header(scope, b"traceparent")))
    wrong_method = scope["path"] == PATH
    problem = problem_of_status(405, headers={"Allow": "POST"}) if wrong_method else problem_of_status(404)
    await send_problem(send, problem, scope["path"])
