"""What the policy sidecar refuses. A deny is not here: a deny is a value.

AeternaError
└── PolicyError
    ├── QuestionMalformedError     the request is no AuthZEN evaluation
    └── MediaTypeError             the request's body is not said to be JSON

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


class MediaTypeError(PolicyError):
    """The request's body is not JSON by its content type."""

    code = "policy.media_type"

    def __init__(self) -> None:
        super().__init__("send the header 'Content-Type: application/json'")
