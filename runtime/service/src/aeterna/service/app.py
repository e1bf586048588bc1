"""The one way to build a service: a FastAPI application with everything that all of them owe their callers."""

from __future__ import annotations

from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from fastapi import FastAPI, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from aeterna.contracts.errors import AeternaError
from aeterna.service.health import Health
from aeterna.service.lifecycle import Drain
from aeterna.service.limits import RequestLimits
from aeterna.service.metrics import new_registry
from aeterna.service.observe import Observed, RequestMetrics
from aeterna.service.ports import Noting
from aeterna.service.problem import Problem, malformed_body, problem_of, problem_of_status
from aeterna.service.problem_schema import RESPONSES
from aeterna.service.tls import ServingCertificate
from aeterna.service.trace import TRACE_HEADER
from aeterna.service.validation import problem_of_validation

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from fastapi import APIRouter, Request
    from prometheus_client import CollectorRegistry

    from aeterna.service.health import Check
    from aeterna.service.ports import DecisionPoint, TokenVerifier
    from aeterna.service.settings import ServiceSettings


class ServiceApp(FastAPI):
    """A FastAPI application that shows its drain and its certificate to `lifecycle.serve`."""

    drain: Drain
    tls: ServingCertificate | None


def service_app(  # noqa: PLR0913 - the composition root of a service says everything that it is made of
    *,
    name: str,
    version: str,
    settings: ServiceSettings,
    verifier: TokenVerifier,
    decisions: DecisionPoint,
    checks: Mapping[str, Check],
    problems: Mapping[type[AeternaError], int],
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
    routers: Sequence[APIRouter],
    registry: CollectorRegistry | None = None,
) -> FastAPI:
    """Return the application: routes, problems, health, metrics, limits and traces.

    ``problems`` is the service's own table of statuses; ``registry`` is where it registered metrics of its own.
    The decision point is asked in ``/ready`` and closed at the end.
    """
    registry = registry or new_registry()
    drain = Drain()
    tls = ServingCertificate.of(settings, registry)
    health = {"policy": decisions.check, **checks}
    app = ServiceApp(
        title=name,
        version=version,
        lifespan=_closing(decisions, lifespan),
        docs_url=None,
        redoc_url=None,
        # A redirect repeats the caller's Host header back; a wrong path is a 404.
        redirect_slashes=False,
        responses=RESPONSES,
        middleware=[
            Middleware(
                Health,
                name=name,
                version=version,
                checks=health,
                drain=drain,
                registry=registry,
                notes=_noted(verifier, tls),
            ),
            Middleware(Observed, metrics=RequestMetrics(registry)),
            *_cors(settings.cors_origins),
            Middleware(RequestLimits, max_body_bytes=settings.max_body_bytes, timeout=settings.request_timeout),
        ],
    )
    app.drain = drain
    app.tls = tls
    app.state.drain = drain
    app.state.tls = tls
    app.state.origins = settings.cors_origins
    app.state.verifier = verifier
    app.state.decisions = decisions
    _answer_problems(app, problems)
    for router in routers:
        app.include_router(router)
    return app


def _answer_problems(app: FastAPI, statuses: Mapping[type[AeternaError], int]) -> None:
    """Answer with problem documents: our own errors, what FastAPI refuses, and what Starlette refuses."""

    async def ours(request: Request, error: Exception) -> Response:
        return _response(request, problem_of(cast("AeternaError", error), statuses))

    async def invalid(request: Request, error: Exception) -> Response:
        return _response(request, problem_of_validation(cast("RequestValidationError", error)))

    async def refused(request: Request, error: Exception) -> Response:
        http = cast("HTTPException", error)
        if http.status_code == HTTPStatus.BAD_REQUEST:
            # FastAPI's own: Python's parser gave up on the body before it knew whether it is JSON (not UTF-8, a number
            # of thousands of digits, nesting of thousands of levels).
            return _response(request, malformed_body())
        return _response(request, problem_of_status(http.status_code, http.detail, http.headers))

    app.add_exception_handler(AeternaError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, refused)


def _noted(*parts: object) -> Callable[[], Mapping[str, object]]:
    """Return what tells the notes of those parts that have any."""
    noting = [part for part in parts if isinstance(part, Noting)]
    return lambda: {name: note for part in noting for name, note in part.notes().items()}


def _cors(origins: Sequence[str]) -> list[Middleware]:
    """Return nothing, or the middleware for these origins; never with cookies, since callers bring tokens."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "Idempotency-Key",
                "Aeterna-Seq",
                "Aeterna-Snapshot",
                # Which protocol and which of its extensions an agent's caller speaks (A2A 1.0, 3.6).
                "A2A-Extensions",
                "A2A-Version",
                "Last-Event-ID",
                # What a message of the Model Context Protocol says of itself outside of its body.
                "Mcp-Method",
                "Mcp-Name",
                "Mcp-Protocol-Version",
                "traceparent",
            ],
            expose_headers=[TRACE_HEADER, "Aeterna-Seq", "Aeterna-Snapshot", "A2A-Extensions", "Retry-After"],
        )
    ]


def _response(request: Request, problem: Problem) -> Response:
    request.state.problem = problem.code
    return Response(
        problem.body(request.url.path),
        problem.status,
        {"Cache-Control": "no-store", **problem.headers},
        "application/problem+json",
    )


@runtime_checkable
class _Closing(Protocol):
    async def aclose(self) -> None: ...


def _closing(
    decisions: DecisionPoint, inner: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return the service's lifespan, followed by the end of the decision point's connections."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        try:
            if inner is None:
                yield
            else:
                async with inner(app):
                    yield
        finally:
            if isinstance(decisions, _Closing):
                await decisions.aclose()

    return lifespan
