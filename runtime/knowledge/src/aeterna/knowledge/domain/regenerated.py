"""What a round of reporting did, in figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from aeterna.knowledge.domain.reports import Instead


@dataclass(frozen=True, slots=True, kw_only=True)
class Regenerated:
    """How many reports stayed as they are, moved along with their passages, were made anew, and went.

    ``improved`` are those of ``made`` that a model made; ``instead`` counts those that it should have made, and why
    it did not.
    """

    kept: int
    moved: int
    made: int
    gone: int
    improved: int = 0
    instead: Counter[Instead] = field(default_factory=Counter[Instead])
