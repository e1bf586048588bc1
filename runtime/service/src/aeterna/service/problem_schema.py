"""How problem documents look in the OpenAPI document of every service."""

from __future__ import annotations

from typing import Any, Final

_SCHEMA: Final = {
    "type": "object",
    "description": "RFC 9457 problem document.",
    "required": ["type", "title", "status", "detail", "instance", "code", "trace_id"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:aeterna:problem:policy.denied"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "description": "Stable; made for programs."},
        "trace_id": {"type": ["string", "null"]},
    },
}

# FastAPI types this table as dict[int | str, dict[str, Any]].
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {
        "description": "The request was refused, and nothing was written.",
        "content": {"application/problem+json": {"schema": _SCHEMA}},
    },
    "5XX": {
        "description": "The service could not answer; repeat with the same idempotency key.",
        "content": {"application/problem+json": {"schema": _SCHEMA}},
    },
}
