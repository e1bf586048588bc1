"""Errors as RFC 9457 problem documents: the only place of the chassis where an error meets an HTTP status."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from math import ceil
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from aeterna.contracts.errors import AeternaError
from aeterna.enforcement.errors import EnforcementError
from aeterna.service import errors
from aeterna.service.json_value import JsonValue
from aeterna.service.trace import current_trace_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from aeterna.service.asgi import Send

MEDIA_TYPE: Final = "application/problem+json"

STATUSES: Final[Mapping[type[AeternaError], int]] = MappingProxyType(
    {
        errors.AuthenticationError: 401,
        errors.TokenMissingError: 401,
        errors.TokenInvalidError: 401,
        errors.TenantMissingError: 403,
        errors.PermissionDeniedError: 403,
        errors.OriginRefusedError: 403,
        errors.RequestTimeoutError: 408,
        errors.RequestTooLargeError: 413,
        errors.KeysUnavailableError: 503,
        errors.WorkloadsUnavailableError: 503,
        errors.DecisionUnavailableError: 503,
        errors.AnswerTimeoutError: 503,
        errors.NotReadyError: 503,
        # A process that could not start answers nobody; should one ever be raised in a request, it is our own fault.
        errors.StartError: 500,
        errors.SettingsInvalidError: 500,
        errors.CertificateUnusableError: 500,
        errors.AddressInUseError: 500,
        errors.ServiceError: 500,
        EnforcementError: 503,
    }
)


@runtime_checkable
class RetryLater(Protocol):
    """An error that knows when it is worth asking again; the answer carries ``Retry-After``."""

    retry_after: timedelta


@runtime_checkable
class Factual(Protocol):
    """An error with facts that a program may want; they become members of the problem document."""

    facts: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem document and the headers that belong to it."""

    status: int
    code: str
    title: str
    detail: str
    facts: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def body(self, instance: str) -> bytes:
        """Return the document as JSON; ``instance`` is the path that was asked for."""
        return json.dumps(
            {
                **self.facts,
                "type": f"urn:aeterna:problem:{self.code}",
                "title": self.title,
                "status": self.status,
                "detail": self.detail,
                "instance": instance,
                "code": self.code,
                "trace_id": current_trace_id(),
            },
            # ASCII only: a lone surrogate in an id would otherwise make the problem itself unencodable.
            ensure_ascii=True,
        ).encode("ascii")

    def raw(self, instance: str) -> bytes:
        """Return a whole HTTP/1.1 response that closes the connection, for when there is no application to send it."""
        body = self.body(instance)
        head = (
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\nContent-Type: {MEDIA_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        return head.encode("ascii") + body


def problem_of(error: AeternaError, statuses: Mapping[type[AeternaError], int]) -> Problem:
    """Return the problem that an error is to the caller; its class docstring is the title."""
    status = status_of(type(error), statuses)
    headers: dict[str, str] = {}
    if isinstance(error, RetryLater):
        headers["Retry-After"] = str(ceil(error.retry_after.total_seconds()))
    if status == HTTPStatus.UNAUTHORIZED:
        # RFC 6750, 3: the challenge says whether a token was missing or was bad.
        missing = isinstance(error, errors.TokenMissingError)
        headers["WWW-Authenticate"] = "Bearer" if missing else 'Bearer error="invalid_token"'
    return Problem(
        status=status,
        code=error.code,
        title=_title(type(error)),
        detail=str(error),
        facts=error.facts if isinstance(error, Factual) else {},
        headers=headers,
    )


def problem_of_status(status: int, detail: str = "", headers: Mapping[str, str] | None = None) -> Problem:
    """Return the problem of an HTTP status that no error of ours stands for, such as 404 on an unknown path."""
    phrase = HTTPStatus(status).phrase
    return Problem(
        status=status,
        code=f"http.{phrase.lower().replace(' ', '_').replace('-', '_')}",
        title=f"{phrase}.",
        detail=detail or phrase,
        headers=headers or {},
    )


async def send_problem(send: Send, problem: Problem, instance: str, headers: Mapping[str, str] | None = None) -> None:
    """Answer an ASGI request with a problem document."""
    body = problem.body(instance)
    fields = {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        **problem.headers,
        **(headers or {}),
    }
    await send(
        {
            "type": "http.response.start",
            "status": problem.status,
            "headers": [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in fields.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})


def malformed_head() -> Problem:
    """Return the problem of bytes that are no HTTP request."""
    return Problem(
        status=400, code="http.malformed", title="The request is not HTTP.", detail="the head could not be parsed"
    )


def oversized_head(limit: int) -> Problem:
    """Return the problem of a request line and headers that are too large."""
    return Problem(
        status=431,
        code="http.head_too_large",
        title="The request's head is larger than any service takes.",
        detail=f"request line and headers may have at most {limit} bytes together",
    )


def oversized_trailer(limit: int) -> Problem:
    """Return the problem of what follows a chunked body, or fills it without being content, when it is too large."""
    return Problem(
        status=431,
        code="http.trailer_too_large",
        title="The request's trailer is larger than any service takes.",
        detail=f"what follows the content of a chunked body may have at most {limit} bytes",
    )


def malformed_body() -> Problem:
    """Return the problem of a body that could not be parsed."""
    return Problem(
        status=400, code="request.malformed", title="The body is not JSON.", detail="the body could not be parsed"
    )


def unexpected() -> Problem:
    """Return the problem of an error that nobody foresaw: no detail, because the detail may hold a secret."""
    return Problem(
        status=500,
        code="service.unexpected",
        title="The service failed in a way it did not foresee.",
        detail="look the trace id up in the service's log",
    )


def status_of(error: type[AeternaError], statuses: Mapping[type[AeternaError], int]) -> int:
    """Return the status of the error's class or of its nearest ancestor that has one, else 500."""
    for ancestor in error.__mro__:
        for table in (statuses, STATUSES):
            if ancestor in table:
                return table[ancestor]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def without_status(package: str, statuses: Mapping[type[AeternaError], int]) -> set[type[AeternaError]]:
    """Return the loaded error classes of a package that the table forgot: each service's tests assert that none is."""
    return {
        error
        for error in _descendants(AeternaError)
        if error.__module__.startswith(f"{package}.") and error not in statuses and error not in STATUSES
    }


def _descendants(error: type[AeternaError]) -> Iterator[type[AeternaError]]:
    for child in error.__subclasses__():
        yield child
        yield from _descendants(child)


def _title(error: type[AeternaError]) -> str:
    """Return the first sentence of the docstring, which by our law says what the error means."""
    return " ".join((error.__doc__ or error.__name__).split("\n\n", 1)[0].split())
