"""What a service's database must be like, said once by the service."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aeterna.postgres.errors import Family
from aeterna.postgres.names import Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The schema of one service.

    ``head`` is the newest revision in the folder ``migrations``. ``lock_key`` keeps migrators apart: any number will do
    that no other program on the database takes. ``errors`` are what the service calls whatever goes wrong.
    """

    names: Names
    errors: Family
    migrations: Path
    head: str
    lock_key: int
