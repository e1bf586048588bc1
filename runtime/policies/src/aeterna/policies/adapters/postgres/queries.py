"""Reads named statements from the ``.sql`` files beside it."""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME: Final = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load_queries(*files: str) -> Mapping[str, bytes]:
    """Return every statement that a ``-- name:`` line introduces, by name, as the bytes that psycopg takes for SQL."""
    found: dict[str, bytes] = {}
    for file in files:
        text = (Path(__file__).parent / "sql" / file).read_text(encoding="utf-8")
        _, *rest = _NAME.split(text)
        for name, body in zip(rest[::2], rest[1::2], strict=True):
            found[name] = _without_comments(body).strip().removesuffix(";").encode()
    return MappingProxyType(found)


def _without_comments(body: str) -> str:
    """Drop comment lines."""
    return "\n".join(line for line in body.splitlines() if not line.lstrip().startswith("--"))
