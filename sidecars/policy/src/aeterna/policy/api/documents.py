"""Reading JSON documents member by member, so that what is wrong with one can be said in its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from aeterna.contracts.json_value import is_object
from aeterna.policy.errors import QuestionMalformedError

if TYPE_CHECKING:
    from collections.abc import Mapping


def parsed(body: bytes | bytearray) -> dict[str, object]:
    """Return the object that a body is, or raise `QuestionMalformedError`."""
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise QuestionMalformedError("the body is not JSON") from None
    if not is_object(document):
        raise QuestionMalformedError("the body must be an object")
    return document


def member(
    document: Mapping[str, object], name: str, *, of: str | None = None, optional: bool = False
) -> dict[str, object]:
    """Return a member that is an object, or raise; an optional one that is absent is empty."""
    value = document.get(name)
    if value is None and optional and name not in document:
        return {}
    if not is_object(value):
        raise QuestionMalformedError(f"{_path(of, name)} must be an object")
    return value


def text(document: Mapping[str, object], name: str, *, of: str | None = None) -> str:
    """Return a member that is a string and not empty, or raise."""
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise QuestionMalformedError(f"{_path(of, name)} must be a string that is not empty")
    return value


def _path(of: str | None, name: str) -> str:
    return f"'{of}.{name}'" if of else f"'{name}'"
