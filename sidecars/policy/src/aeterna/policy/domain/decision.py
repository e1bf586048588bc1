"""What is answered: an allow or a deny, why, and by which edition of the policies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict with the edition that gave it.

    ``epoch`` counts the editions this process has used, from 1; ``digest`` names the edition's content, equal in every
    replica that uses it; ``age`` is how many seconds ago that content was last known to be the current one.
    """

    allowed: bool
    policies: tuple[str, ...]
    errors: tuple[str, ...]
    epoch: int
    digest: str
    age: float
    cached: bool
