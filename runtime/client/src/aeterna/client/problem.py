"""Reads problem documents (RFC 9457) and finds the error class of each code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from aeterna.client import errors, problem_codes
from aeterna.client.json_value import JsonObject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from aeterna.client.operation import Reply

STANDARD = ("type", "title", "status", "detail", "instance", "code", "trace_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a service refused a request."""

    status: int
    code: str
    title: str
    detail: str
    instance: str | None
    trace_id: str | None
    retry_after: float | None
    """Seconds after which the service invites another try."""
    facts: JsonObject
    """The members beyond RFC 9457's own."""

    def __str__(self) -> str:
        """Return one line: what, which parts of the request, which code, and the trace to look for in the logs."""
        trace = f" (trace {self.trace_id})" if self.trace_id else ""
        return f"{'; '.join(self._wrong_parts()) or self.detail or self.title} [{self.status} {self.code}]{trace}"

    def _wrong_parts(self) -> Iterator[str]:
        """Say what is wrong with each part of the request that the service pointed at, as in ``request.invalid``."""
        parts = self.facts.get("errors")
        for part in parts if isinstance(parts, list) else []:
            if isinstance(part, dict) and "problem" in part:
                yield f"{part.get('pointer') or 'the request'}: {part['problem']}"


def problem_of(reply: Reply, now: datetime) -> Problem:
    """Return what a refusal says; an answer that is not a problem document (a proxy's page) becomes a plain one."""
    fields = _fields(reply)

    def text(name: str) -> str | None:
        value = fields.get(name)
        return value if isinstance(value, str) else None

    return Problem(
        status=reply.status,
        code=text("code") or f"http.{reply.status}",
        title=text("title") or _phrase(reply.status),
        detail=text("detail") or "",
        instance=text("instance"),
        trace_id=text("trace_id"),
        retry_after=retry_after(reply.headers, now),
        facts={name: value for name, value in fields.items() if name not in STANDARD},
    )


def error_of(problem: Problem) -> errors.ProblemError:
    """Return the error that stands for the problem's code, or else for its status, or the general one."""
    kind = problem_codes.BY_CODE.get(problem.code) or problem_codes.BY_STATUS.get(problem.status)
    return (kind or errors.ProblemError)(problem)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that ``Retry-After`` asks for (RFC 9110, 10.2.3: seconds or a date), None without one."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _fields(reply: Reply) -> JsonObject:
    if "json" not in reply.headers.get("content-type", ""):
        return {}
    try:
        fields: object = json.loads(reply.body)
    except ValueError:
        return {}
    return cast("JsonObject", fields) if isinstance(fields, dict) else {}  # json.loads makes only such values


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"HTTP status {status}"
