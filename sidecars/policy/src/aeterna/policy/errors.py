"""What the policy sidecar refuses. A deny is not here: a deny is a value.

AeternaError
└── PolicyError
├── QuestionMalformedError     the request is no AuthZEN evaluation
├── MediaTypeError             the request's body is not said to be JSON
└── BundleError
├── BundleUnreadableError  the bundle cannot be read at all
└── BundleInvalidError     it can be read, and must not be used
"""

from __future__ import annotations

from aeterna.contracts.errors import AeternaError


class PolicyError(AeternaError):
    """The policy sidecar refuses something."""

    code = "policy.error"


class QuestionMalformedError(PolicyError):
    """The request is not an AuthZEN access evaluation."""

    code = "policy.question_malformed"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class MediaTypeError(PolicyError):
    """The request's body is not JSON by its content type."""

    code = "policy.media_type"

    def __init__(self) -> None:
        super().__init__("send the header 'Content-Type: application/json'")


class BundleError(PolicyError):
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

    def __init__(self, where: str, reason: str) -> None:
        """Take the file's name within the bundle and what is wrong with it."""
        super().__init__(f"{where}: {reason}")
        self.where = where
        self.reason = reason
