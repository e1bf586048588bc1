"""The ledger's database, as `aeterna.postgres` is told of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.errors import FAMILY, NAMES
from aeterna.postgres.database import Database
from aeterna.postgres.queries import load_queries

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE: Final = Path(__file__).parent

DATABASE: Final = Database(
    names=NAMES,
    errors=FAMILY,
    migrations=_HERE / "migrations",
    head="0001",
    lock_key=int.from_bytes(b"knowldge", "big", signed=True),  # eight letters in ASCII
)


def queries(*files: str) -> Mapping[str, bytes]:
    """Return the named statements of files of the folder ``sql``."""
    return load_queries(_HERE / "sql", *files)
