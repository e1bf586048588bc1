"""What is recorded of every request: a trace, a metric, a log line, and a problem when the unforeseen happens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import structlog
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import Counter, Gauge, Histogram
from starlette.requests import ClientDisconnect

from aeterna.service.asgi import header
from aeterna.service.caller import Caller
from aeterna.service.problem import send_problem, unexpected
from aeterna.service.telemetry import tracer
from aeterna.service.trace import TRACE_HEADER, enter_trace, trace_id_of

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer
    from prometheus_client import CollectorRegistry

    from aeterna.service.asgi import App, Message, Receive, Scope, Send

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SERVER_ERROR: Final = 500

log = structlog.stdlib.get_logger(__name__)


class RequestMetrics:
    """Prometheus metrics of HTTP requests; labels are route templates, so their number is bounded by the code."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("method", "route", "status")
        self.seconds = Histogram(
            "aeterna_http_request_duration_seconds",
            "Time to the end of the answer, by route template.",
            labels,
            buckets=_BUCKETS,
            registry=registry,
        )
        self.failures = Counter(
            "aeterna_http_request_failures",
            "Requests that failed in a way nobody foresaw.",
            ("route",),
            registry=registry,
        )
        self.in_progress = Gauge("aeterna_http_requests_in_progress", "Requests under way.", registry=registry)


class Observed:
    """Records every request that passes to an application, and answers for it when it fails unforeseen."""

    def __init__(self, app: App, *, metrics: RequestMetrics, spans: Tracer | None = None) -> None:
        """Take where spans are made; by default the process's own tracer."""
        self._app = app
        self._metrics = metrics
        self._spans = spans or tracer("aeterna.service")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and record how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "other"
        traceparent = header(scope, b"traceparent")
        carrier = {"traceparent": traceparent.decode("latin-1")} if traceparent is not None else {}
        with (
            self._metrics.in_progress.track_inprogress(),
            self._spans.start_as_current_span(
                method, TraceContextTextMapPropagator().extract(carrier), SpanKind.SERVER
            ) as span,
        ):
            context = span.get_span_context()
            recorded = context.is_valid and span.is_recording()
            trace_id = trace.format_trace_id(context.trace_id) if recorded else trace_id_of(traceparent)
            enter_trace(trace_id)
            await self._handle(scope, receive, _Answer(send, trace_id), span, method)

    async def _handle(self, scope: Scope, receive: Receive, answer: _Answer, span: Span, method: str) -> None:
        begun = time.perf_counter()
        try:
            await self._app(scope, receive, answer.send)
        except ClientDisconnect:
            # The caller hung up while a route still read the body: nobody is left to be answered, and nothing failed.
            return
        except Exception:
            # The edge of the process: what nobody foresaw is logged with its trace and answered without its details.
            log.exception("request.failed")
            self._metrics.failures.labels(_route(scope)).inc()
            if answer.status is not None:
                raise
            await send_problem(answer.send, unexpected(), scope["path"])
        finally:
            self._record(scope, answer, span, method, time.perf_counter() - begun)

    def _record(self, scope: Scope, answer: _Answer, span: Span, method: str, seconds: float) -> None:
        # Without an answer the caller hung up; 499 is what proxies log for that.
        route, status = _route(scope), answer.status or 499
        self._metrics.seconds.labels(method, route, str(status)).observe(seconds)
        if span.is_recording():
            span.update_name(f"{method} {route}")
            span.set_attributes(
                {
                    "http.request.method": method,
                    "http.route": route,
                    "http.response.status_code": status,
                }
            )
            if status >= _SERVER_ERROR:
                span.set_status(StatusCode.ERROR)
        state = scope.get("state", {})
        caller = state.get("caller")
        tenant = caller.tenant if isinstance(caller, Caller) else None
        log.info(
            "request",
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 2),
            tenant=tenant,
            problem=state.get("problem"),
        )


class _Answer:
    """The answer on its way out: its status is noted, and it carries the trace id."""

    def __init__(self, send: Send, trace_id: str) -> None:
        self._send = send
        self._header = (TRACE_HEADER.encode("ascii"), trace_id.encode("ascii"))
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), self._header]}
        await self._send(message)


def _route(scope: Scope) -> str:
    """Return the template of the matched route; a path that no route has would be a label per typing error."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "unmatched"
