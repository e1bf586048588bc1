"""What every kind of catalog is, once it is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pyiceberg.catalog import Catalog
from sqlalchemy import Engine

CATALOG_NAME: Final = "aeterna"  # other engines must use the same name on the same database


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCatalog:
    """A catalog that answers, and how to let go of it."""

    catalog: Catalog
    close: Callable[[], None]
    namespace: str  # of all tables
    engine: Engine | None = None  # of a SQL catalog: whoever needs more than tables from the same database
