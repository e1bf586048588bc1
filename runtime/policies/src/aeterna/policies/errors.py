"""What the policy administration point refuses.

AeternaError
└── PoliciesError
"""

from __future__ import annotations

from aeterna.contracts.errors import AeternaError


class PoliciesError(AeternaError):
    """The policy administration point refuses something."""

    code = "policies.error"
