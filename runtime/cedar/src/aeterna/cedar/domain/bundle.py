"""A bundle: the policies, their schema and the entities they refer to, which are used together or not at all."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from aeterna.cedar.errors import BundleInvalidError

POLICY_SUFFIX: Final = ".cedar"
SCHEMA_SUFFIX: Final = ".cedarschema"
ENTITIES_FILE: Final = "entities.json"
TENANTS_FOLDER: Final = "tenants"
_TENANT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Texts as they were read, by their path within the bundle, with ``/`` between the parts.

    ``policies`` are files of Cedar and ``entities`` are Cedar's JSON lists of entities. What lies in
    ``tenants/<tenant>/`` counts for that tenant alone; everything else counts for all.
    """

    policies: Mapping[str, str]
    schema: str
    entities: Mapping[str, str] = field(default_factory=dict[str, str])
    schema_file: str = field(default="bundle.cedarschema", compare=False)

    @classmethod
    def of(cls, files: Mapping[str, str]) -> Bundle:
        """Sort files by what their names say they are, or raise `BundleInvalidError`; other names are ignored."""
        schemas = sorted(path for path in files if path.endswith(SCHEMA_SUFFIX))
        policies = {path: text for path, text in files.items() if path.endswith(POLICY_SUFFIX)}
        if len(schemas) != 1:
            raise BundleInvalidError("bundle", f"needs one file *{SCHEMA_SUFFIX} and has {len(schemas)}")
        if not policies:
            raise BundleInvalidError("bundle", f"needs at least one file *{POLICY_SUFFIX}")
        entities = {path: text for path, text in files.items() if path.rpartition("/")[2] == ENTITIES_FILE}
        return cls(policies=policies, schema=files[schemas[0]], entities=entities, schema_file=schemas[0])

    def files(self) -> dict[str, str]:
        """Return the files that `of` makes this bundle of."""
        return {**self.policies, self.schema_file: self.schema, **self.entities}

    def tenants(self) -> tuple[str, ...]:
        """Return the tenants that have files of their own, sorted; raise `BundleInvalidError` for no tenant's name."""
        found = {tenant for path in (*self.policies, *self.entities) if (tenant := tenant_of(path)) is not None}
        return tuple(sorted(found))

    def digest(self) -> str:
        """Return ``sha256:…`` over all names and texts; each is preceded by its length, so that none can shift."""
        content = hashlib.sha256()
        for part in (*_flat(self.policies), self.schema, *_flat(self.entities)):
            encoded = part.encode()
            content.update(b"%d:" % len(encoded))
            content.update(encoded)
        return f"sha256:{content.hexdigest()}"


def tenant_of(path: str) -> str | None:
    """Return the tenant whose file this is, or None for everybody's; raise `BundleInvalidError` for a wrong name.

    A tenants' folder that is not where it counts is refused: its files would be everybody's.
    """
    first, _, rest = path.partition("/")
    if first != TENANTS_FOLDER:
        if any(part.lower() == TENANTS_FOLDER for part in path.split("/")[:-1]):
            raise BundleInvalidError(path, f"the folder {TENANTS_FOLDER} counts only at the top of a bundle")
        return None
    tenant, _, name = rest.partition("/")
    if not name or not _TENANT.fullmatch(tenant):
        raise BundleInvalidError(path, f"a file of a tenant is {TENANTS_FOLDER}/<tenant>/<file>")
    return tenant


def _flat(files: Mapping[str, str]) -> Iterable[str]:
    return (text for pair in sorted(files.items()) for text in pair)
