"""What the policy sidecar refuses. A deny is not here: a deny is a value.

AeternaError
└── PolicyError
    ├── QuestionMalformedError     the request is no AuthZEN evaluation
    │   └── TooManyEvaluationsError it is more of them than are answered at once
    ├── MediaTypeError             the request's body is not said to be JSON
    ├── StateLockedError           another sidecar keeps its bundle in this folder
    ├── AddressRefusedError        bundles must not be fetched from this address
    ├── FeedUnreachableError       whoever pushes policies cannot push now
    ├── PushRefusedError           a push to the store of policies is malformed
    └── AuditUnwritableError       the decision log cannot be written

What is wrong with a bundle is in ``aeterna.cedar.errors``.
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


class TooManyEvaluationsError(QuestionMalformedError):
    """The request has more evaluations than are answered at once."""

    code = "policy.too_many_evaluations"

    def __init__(self, asked: int, limit: int) -> None:
        super().__init__(f"'evaluations' has {asked} of them and may have {limit}; ask in several requests")


class MediaTypeError(PolicyError):
    """The request's body is not JSON by its content type."""

    code = "policy.media_type"

    def __init__(self) -> None:
        super().__init__("send the header 'Content-Type: application/json'")


class StateLockedError(PolicyError):
    """Another process keeps its bundle in this folder, and two would overwrite each other's."""

    code = "policy.state_locked"

    def __init__(self, folder: str) -> None:
        super().__init__(f"another sidecar keeps its state in {folder}; give each one a folder of its own")


class AddressRefusedError(PolicyError):
    """The address is one that bundles are not fetched from, since anybody on the way could read or hold them back."""

    code = "policy.address_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class FeedUnreachableError(PolicyError):
    """Whoever pushes policies was asked to push them again, and cannot now."""

    code = "policy.feed_unreachable"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where} {reason}")


class PushRefusedError(PolicyError):
    """What was pushed is no policy, schema or list of entities; nothing is published until a good one replaces it."""

    code = "policy.push_refused"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")


class AuditUnwritableError(PolicyError):
    """The decision log cannot be written."""

    code = "policy.audit_unwritable"

    def __init__(self, reason: str, *, written: int = 0) -> None:
        """Take how many of the records at hand were written whole before it failed."""
        super().__init__(f"the decision log cannot be written: {reason}")
        self.written = written
