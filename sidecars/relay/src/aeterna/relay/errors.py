"""What the relay refuses or cannot do.

AeternaError
└── RelayError
    ├── UpstreamUnavailableError      the cache is not reached
    └── LoginRefusedError             the cache does not take the login
"""

from __future__ import annotations

from aeterna.contracts.errors import AeternaError


class RelayError(AeternaError):
    """A connection to the cache cannot be had."""

    code = "relay.error"
    reason = ""


class UpstreamUnavailableError(RelayError):
    """The cache is not reached, or does not prove its name."""

    code = "relay.upstream_unavailable"

    def __init__(self, reason: str) -> None:
        """Take the kind of the failure; what the other side said is not repeated."""
        super().__init__(f"the cache is not reached: {reason}")
        self.reason = reason


class LoginRefusedError(RelayError):
    """The cache does not take the login of this workload's identity."""

    code = "relay.login_refused"

    def __init__(self, reason: str) -> None:
        """Take the first word of the cache's answer, which is a kind of error and never what was sent."""
        super().__init__(f"the cache refuses the login: {reason}")
        self.reason = reason
