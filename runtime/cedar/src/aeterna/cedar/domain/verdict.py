"""What an engine makes of a request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether it is allowed, the ``@id``s of the policies that determined it, and whatever went wrong on the way."""

    allowed: bool
    policies: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
