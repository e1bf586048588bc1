"""What a request's body may be before any parser sees it: UTF-8, JSON, and not nested for its own sake."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from a2a.utils.errors import A2AError, InvalidRequestError, JSONParseError

if TYPE_CHECKING:
    from starlette.requests import Request

# protobuf's own parsers stop at 100 levels, and the SDK reads a body as plain JSON before them; a level of a message's
# data costs two of theirs. Deeper ones are an attack on a parser that recurses.
MAX_DEPTH: Final = 64
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_BRACKET: Final = re.compile(rb"[\[\]{}]")


async def unreadable(request: Request) -> A2AError | None:
    """Return why the body cannot be read, or None where it can; what was parsed stays with the request."""
    body = await request.body()
    if not body:
        return None
    if too_deep(body):
        return InvalidRequestError(message=f"The body is nested more than {MAX_DEPTH} levels deep")
    try:
        await request.json()
    except (ValueError, RecursionError):
        # Also what is not UTF-8, and numbers of thousands of digits.
        return JSONParseError()
    return None


def too_deep(body: bytes) -> bool:
    """Tell whether brackets outside of strings are nested deeper than they may be."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub(b"", body)):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False
