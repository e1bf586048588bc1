"""What FastAPI found wrong with a request, as a problem: where it is wrong and why, never what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.service.problem import Problem, malformed_body

if TYPE_CHECKING:
    from fastapi.exceptions import RequestValidationError

    from aeterna.service.json_value import JsonValue

_SHOWN: Final = 20


def problem_of_validation(error: RequestValidationError) -> Problem:
    """Return 400 for a body that is not JSON, else 422 with a pointer (RFC 6901) to each wrong part, 20 at most."""
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return malformed_body()
    if isinstance(error.body, bytes) and error.body:
        # FastAPI leaves bytes alone that do not say that they are JSON, and then finds that they are no object.
        return _invalid(
            [{"pointer": "/body", "problem": "send it with the header 'Content-Type: application/json'"}], 1
        )
    wrong: list[JsonValue] = [
        {"pointer": _pointer(item["loc"]), "problem": str(item["msg"])} for item in found[:_SHOWN]
    ]
    return _invalid(wrong, len(found))


def _invalid(wrong: list[JsonValue], count: int) -> Problem:
    return Problem(
        status=422,
        code="request.invalid",
        title="The request does not have the form that this path asks for.",
        detail=f"{count} part(s) of the request are wrong; see 'errors'",
        facts={"errors": wrong},
    )


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)
