"""An Iceberg catalog, which knows the current snapshot of every table: its spec, and what a deployed one tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_name

NAMESPACE = re.compile(r"[a-z](?:[a-z0-9_]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSpec:
    """An Iceberg catalog with one namespace, spoken to over the Iceberg REST protocol.

    - ``name`` is the warehouse's. Changing it makes a new, empty warehouse.
    - ``namespace`` holds the tables. Default: the name, with underscores for hyphens. Changing it makes a new, empty
      namespace.
    """

    name: str
    namespace: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no cloud could deploy."""
        kind = type(self).__name__
        require_name(kind, "name", self.name)
        if self.namespace is not None and not NAMESPACE.fullmatch(self.namespace):
            raise InvalidSpecError(
                kind,
                "namespace",
                f"{self.namespace!r} is not a namespace that every catalog accepts",
                "use at most 63 lower-case letters, digits and underscores, beginning with a letter",
            )

    def namespace_name(self) -> str:
        """Return the namespace: the one given, or the one that the name makes."""
        return self.namespace if self.namespace is not None else self.name.replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogOutputs:
    """A deployed catalog: what an Iceberg REST client needs beside its own identity."""

    uri: Late
    """The base address of the Iceberg REST protocol."""
    warehouse: Late
    """What the protocol's ``warehouse`` parameter takes."""
    namespace: Late
    properties: Mapping[str, Late]
    """Further client properties by their standard names, such as how requests are signed."""
    address: Late | None = None
    """The catalog in one string, with how a workload logs in, as the graph API takes it. None of a catalog
    that was deployed before it was told, or that the graph API cannot use. Where it is a database, the login is
    left out, and whoever has one adds it: ``&user=…``."""
    files: Late | None = None
    """Where the tables' files are, as the graph API takes it. None as above."""
    database: Late | None = None
    """The database that the catalog is, on the foundation's own server. None where it is a service of the cloud."""
