"""A Secret or ConfigMap as it was read: its entries as text, and the version that a change of it must name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Entries by name. ``version`` is the server's, and absent for what is not there yet.

    Bytes that are no UTF-8 are read as replacement characters: garbage stays garbage, and is found by whoever reads it.
    """

    entries: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    version: str | None = None

    def holding(self, entries: Mapping[str, str]) -> Stored:
        """Return it with these entries and no others, to be written over what was read."""
        return Stored(entries=entries, version=self.version)
