"""What is refused of a bundle. A deny is not here: a deny is a value.

AeternaError
└── BundleError
    ├── BundleUnreadableError  the bundle cannot be read at all
    ├── BundleInvalidError     it can be read, and must not be used
    ├── BundleSignatureError   nobody whom we trust has signed it
    └── BundleOutdatedError    it is older than the one in use
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


class BundleSignatureError(BundleError):
    """The bundle's signature is missing or proves nothing, or there is no key to check it with."""

    code = "policy.bundle_signature"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class BundleOutdatedError(BundleError):
    """The bundle is of an earlier version than the one that was used last: somebody may be turning time back."""

    code = "policy.bundle_outdated"

    def __init__(self, version: int, used: int) -> None:
        super().__init__(f"version {version} is older than version {used}, which was used last")
