"""Who is asking, and how far their word reaches: the platform's own administrators, or those of one tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aeterna.cedar.domain.bundle import tenant_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A tenant, and whether it is the one that administers the platform.

    The platform's administrators see and change every file. Those of another tenant see the shared files and their own,
    and change what lies below ``tenants/<their tenant>/`` alone.
    """

    tenant: str
    platform: bool = False

    def changes(self, path: str) -> bool:
        """Return whether a change of this file is theirs to make; raise `BundleInvalidError` for a wrong name."""
        return self.platform or tenant_of(path) == self.tenant

    def sees(self, path: str) -> bool:
        """Return whether this file is theirs to read; raise `BundleInvalidError` for a wrong name."""
        return self.platform or tenant_of(path) in {None, self.tenant}

    def seen(self, files: Mapping[str, str]) -> dict[str, str]:
        """Return the files that are theirs to read."""
        return {path: text for path, text in files.items() if self.sees(path)}

    def merged(self, base: Mapping[str, str], proposed: Mapping[str, str]) -> dict[str, str]:
        """Return the base with everything that is theirs to change replaced by what is proposed of it."""
        kept = {path: text for path, text in base.items() if not self.changes(path)}
        return kept | {path: text for path, text in proposed.items() if self.changes(path)}

    def trespassed(self, base: Mapping[str, str], proposed: Mapping[str, str]) -> str | None:
        """Return the first proposed file that is not theirs to change and is not as it was, if there is one."""
        # The files of others that they may not see count as changed even when alike: nobody is to guess them.
        return next(
            (
                path
                for path, text in sorted(proposed.items())
                if not self.changes(path) and (not self.sees(path) or base.get(path) != text)
            ),
            None,
        )
