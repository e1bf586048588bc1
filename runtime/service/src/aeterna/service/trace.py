"""The trace that a request belongs to: W3C Trace Context in, one id for logs, problems and the answer out."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar
from typing import Final

from opentelemetry import trace

TRACE_HEADER: Final = "aeterna-trace-id"
_TRACEPARENT: Final = re.compile(rb"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_ZERO: Final = "0" * 32

_current: ContextVar[str | None] = ContextVar("aeterna_trace_id", default=None)


def current_trace_id() -> str | None:
    """Return the trace id of the request being handled, or None outside of one."""
    return _current.get()


def enter_trace(trace_id: str) -> None:
    """Make this the trace of the running task; each request has a task of its own, so nothing is left behind."""
    _current.set(trace_id)


def outgoing_traceparent() -> str | None:
    """Return the ``traceparent`` for a request that we make on behalf of the one being handled, if there is one.

    The parent is the recorded span where one is; without a collector it is a span that nobody records, so that the
    neighbour's logs still carry the trace.
    """
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        ids = trace.format_trace_id(span.trace_id), trace.format_span_id(span.span_id)
        return f"00-{ids[0]}-{ids[1]}-{span.trace_flags:02x}"
    trace_id = current_trace_id()
    return f"00-{trace_id}-{secrets.token_hex(8)}-00" if trace_id is not None else None


def trace_id_of(traceparent: bytes | None) -> str:
    """Return the trace id of a ``traceparent`` header, or a new random one where it is absent or malformed."""
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent is not None else None
    trace_id = found[1].decode("ascii") if found else _ZERO
    # W3C Trace Context, 3.2.2.3: all zeroes is an invalid id and must be ignored.
    return secrets.token_hex(16) if trace_id == _ZERO else trace_id
