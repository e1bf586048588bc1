"""What is answered: an allow or a deny, why, and by which edition of the policies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict with the edition that gave it.

    ``epoch`` counts what the sidecar has published, from 1; 0 means that there are no policies yet. ``digest`` names
    the content, equal in every replica that uses it; ``age`` is how many seconds ago that content was last known to be
    the current one. ``tenant`` is whose own policies were asked beside everybody's, None where only everybody's were.
    """

    allowed: bool
    policies: tuple[str, ...]
    errors: tuple[str, ...]
    epoch: int
    digest: str
    age: float
    cached: bool
    tenant: str | None = None
