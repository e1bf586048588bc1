"""What a call of a tool comes to, as the protocol says it: an answer, or a problem with the code that REST gives."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from fastapi.exceptions import RequestValidationError
from mcp import types as mcp_types

from aeterna.api.api.problem import STATUSES
from aeterna.service.problem import problem_of
from aeterna.service.validation import problem_of_validation

if TYPE_CHECKING:
    from pydantic import ValidationError

    from aeterna.contracts.errors import AeternaError
    from aeterna.service.problem import Problem

PROBLEM_KEY: Final = "aeterna/problem"
"""Where a failed call's ``_meta`` has its problem document; its text is the same in JSON."""


def answered(content: dict[str, Any]) -> mcp_types.CallToolResult:
    """Return a success; the text is for clients that do not read structured content yet."""
    return mcp_types.CallToolResult(content=[_text(_json(content))], structured_content=content)


def refused(error: AeternaError) -> Problem:
    """Return the problem that REST would answer with; what REST says in ``Retry-After`` is the member retry_after."""
    problem = problem_of(error, STATUSES)
    if (seconds := problem.headers.get("Retry-After")) is None:
        return problem
    return replace(problem, facts={**problem.facts, "retry_after": int(seconds)})


def wrong_arguments(error: ValidationError) -> Problem:
    """Return the problem of arguments that are not of the tool's form: which ones, and why, never what was sent."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return problem_of_validation(RequestValidationError(found))


def failed(problem: Problem, instance: str) -> mcp_types.CallToolResult:
    """Return a failure as a result, so that the model which made the call reads what to change.

    It has no structured content: that would have to be of the form that the tool promises for its answers.
    """
    document = problem.body(instance)
    return mcp_types.CallToolResult.model_validate(
        {
            "content": [_text(document.decode("ascii"))],
            "isError": True,
            "_meta": {PROBLEM_KEY: cast("dict[str, Any]", json.loads(document))},
        }
    )


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _text(text: str) -> mcp_types.TextContent:
    return mcp_types.TextContent(type="text", text=text)
