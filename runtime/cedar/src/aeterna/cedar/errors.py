"""What is refused of a bundle. A deny is not here: a deny is a value.

AeternaError
└── BundleError
    ├── BundleUnreadableError  the bundle cannot be read at all
    └── BundleInvalidError     it can be read, and must not be used
"""

from __future__ import annotations

from aeterna.contracts.errors import AeternaError


class BundleError(AeternaError):
    """A bundle of policies cannot be used; the one in use stays."""

    code = "policy.bundle"


class BundleUnreadableError(BundleError):
    """The bundle cannot be read."""

    code = "policy.bundle_unreadable"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")


class BundleInvalidError(BundleError):
    """The bundle was read and does not parse, or contradicts its schema."""

    code = "policy.bundle_invalid"

    def __init__(self, where: str, reason: str, *, line: int | None = None) -> None:
        """Take the file's name within the bundle, what is wrong with it and, where it is known, the line from 1."""
        super().__init__(f"{where}: {reason}" if line is None else f"{where}:{line}: {reason}")
        self.where = where
        self.reason = reason
        self.line = line
