"""Reads named statements from ``.sql`` files."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME: Final = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load_queries(folder: Path, *files: str) -> Mapping[str, bytes]:
    """Return every statement that a ``-- name:`` line introduces, by name, as the bytes that psycopg takes for SQL."""
    found: dict[str, bytes] = {}
    for file in files:
        text = (folder / file).read_text(encoding="utf-8")
        _, *rest = _NAME.split(text)
        for name, body in zip(rest[::2], rest[1::2], strict=True):
            found[name] = _without_comments(body).strip().removesuffix(";").encode()
    return MappingProxyType(found)


def _without_comments(body: str) -> str:
    """Drop comment lines: they are for readers here, and would only be sent and parsed a thousand times a second."""
    return "\n".join(line for line in body.splitlines() if not line.lstrip().startswith("--"))
