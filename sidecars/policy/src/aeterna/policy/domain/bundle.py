"""A bundle: the policies, their schema and the entities they refer to, which are used together or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Texts as they were read: policy files by name, a Cedar schema, and a Cedar JSON document of entities."""

    policies: Mapping[str, str]
    schema: str
    entities: str = "[]"

    def digest(self) -> str:
        """Return ``sha256:…`` over all names and texts; each is preceded by its length, so that none can shift."""
        content = hashlib.sha256()
        for part in (*(text for pair in sorted(self.policies.items()) for text in pair), self.schema, self.entities):
            encoded = part.encode()
            content.update(b"%d:" % len(encoded))
            content.update(encoded)
        return f"sha256:{content.hexdigest()}"
