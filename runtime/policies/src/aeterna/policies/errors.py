"""What the policy administration point refuses.

AeternaError
└── PoliciesError
    └── UndecidedError  a question about policies could not be answered
"""

from __future__ import annotations

from aeterna.contracts.errors import AeternaError


class PoliciesError(AeternaError):
    """The policy administration point refuses something."""

    code = "policies.error"


class UndecidedError(PoliciesError):
    """Whether such a request exists could not be decided; never to be read as there being none."""

    code = "policies.undecided"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
