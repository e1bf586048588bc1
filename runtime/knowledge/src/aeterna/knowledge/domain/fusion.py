"""Joins several rankings of the same things into one, by their ranks alone.

Reciprocal-rank fusion (Cormack, Clarke and Büttcher, 2009): a thing scores the sum of 1 / (k + its rank) over the
rankings that it is in. Scores of different kinds never have to be compared.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

K: Final = 20
"""The paper has 60, for a thousand places; with a hundred, a weak ranking's first would outdo a good one's tenth."""
_DIGITS: Final = 12  # more would let the order of a sum decide between equals

Item = TypeVar("Item", bound=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused(Generic[Item]):
    """A thing, and its rank in each ranking that it is in, from 1."""

    item: Item
    score: float
    ranks: tuple[tuple[str, int], ...]


def fused(
    rankings: Mapping[str, Sequence[Item]], *, k: int = K, weights: Mapping[str, float] | None = None
) -> tuple[Fused[Item], ...]:
    """Return everything that is in any of the named rankings, the best first and equals in their own order.

    Of a thing that is in a ranking twice, the better place counts. ``weights`` says how much a ranking is trusted,
    1 where it says nothing.
    """
    ranks: dict[Item, dict[str, int]] = defaultdict(dict)
    for name, ranking in sorted(rankings.items()):
        for rank, item in enumerate(ranking, start=1):
            ranks[item].setdefault(name, rank)
    trusted = weights or {}
    found = (
        Fused(
            item=item,
            score=round(sum(trusted.get(name, 1.0) / (k + rank) for name, rank in places.items()), _DIGITS),
            ranks=tuple(places.items()),
        )
        for item, places in ranks.items()
    )
    return tuple(sorted(found, key=lambda each: (-each.score, each.item)))
