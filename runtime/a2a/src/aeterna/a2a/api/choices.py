"""Values that a parameter of a listing cannot have: the SDK's parsers pass over them, as if nothing had been asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from a2a.types import TaskState

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

_STATE: Final = "status"
_BOOLEAN: Final = "includeArtifacts"
_MAX_DIGITS: Final = 9


def unknown_in_call(body: object) -> str | None:
    """Return the parameter of a JSON-RPC request for a listing whose value is none of its own."""
    call = cast("dict[str, object]", body) if isinstance(body, dict) else {}
    params = call.get("params")
    if call.get("method") != "ListTasks" or not isinstance(params, dict):
        return None
    state = cast("dict[str, object]", params).get(_STATE)
    return _STATE if isinstance(state, str) and not _is_state(state) else None


def unknown_in_query(query: QueryParams) -> str | None:
    """Return the parameter of a listing's query whose value is none of its own; here booleans are words, too."""
    state, boolean = query.get(_STATE), query.get(_BOOLEAN)
    if state is not None and not _is_state(state):
        return _STATE
    if boolean is not None and boolean.lower() not in {"true", "false"}:
        return _BOOLEAN
    return None


def _is_state(value: str) -> bool:
    """Whether there is a state of this name, or of this number."""
    number = int(value) if value.isdecimal() and len(value) <= _MAX_DIGITS else None
    return value in TaskState.keys() or number in TaskState.values()  # noqa: SIM118 - protobuf's wrapper is no mapping
