"""The reports of a tenant as a tree, and which of them a question is about: chosen from the top down.

It is GraphRAG's dynamic community selection (Microsoft, 2024) with a rating by words in the place of a model's: from 0
to 5, how much of what the question asks a report speaks of. Below a report that is not relevant nothing is looked at,
and a report gives way to those below it that are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.communities import CommunityId
from aeterna.knowledge.domain.documents import UnitId
from aeterna.knowledge.domain.queries import stems_in
from aeterna.knowledge.domain.reports import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aeterna.knowledge.domain.queries import Query

RELEVANT: Final = 1
BEST: Final = 5
MAX_LEVEL: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTree:
    """Reports by community; ``roots`` are below no other. ``holders`` says how many reports have a stem."""

    reports: Mapping[CommunityId, Report]
    roots: tuple[CommunityId, ...]
    below: Mapping[CommunityId, tuple[CommunityId, ...]]
    stems: Mapping[CommunityId, Mapping[str, int]]
    holders: Mapping[str, int]
    by_unit: Mapping[UnitId, tuple[CommunityId, ...]]

    def share(self, query: Query, community: CommunityId) -> float:
        """Return how much of what is asked a report speaks of, by the words that few reports hold: 0 to 1."""
        rarity = {
            stem: weight * math.log(1 + len(self.reports) / (1 + self.holders.get(stem, 0)))
            for stem, weight in query.weights
        }
        total = sum(weight for stem, weight in rarity.items() if (stem, 1.0) in query.weights) or sum(rarity.values())
        said = self.stems[community]
        return min(1.0, sum(weight for stem, weight in rarity.items() if stem in said) / total) if total else 0.0

    def rating(self, query: Query, community: CommunityId) -> int:
        """Return `share` on the scale on which models rate: 0 to 5."""
        return round(BEST * self.share(query, community))


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which reports were rated, in that order, and those that the answer is made of, the best first."""

    rated: tuple[tuple[CommunityId, int], ...]
    chosen: tuple[CommunityId, ...]


def tree_of(reports: Iterable[Report]) -> ReportTree:
    """Put reports into their tree."""
    given = sorted(reports, key=lambda each: (each.level, each.community))
    by_digest = {each.digest: each.community for each in given}
    below = {
        each.community: tuple(sorted(by_digest[child] for child in each.children if child in by_digest))
        for each in given
    }
    under = {child for children in below.values() for child in children}
    stems = {each.community: _stems(each) for each in given}
    by_unit: dict[UnitId, list[CommunityId]] = {}
    for each in given:
        for unit in dict.fromkeys(one.unit for one in each.evidence):
            by_unit.setdefault(unit, []).append(each.community)
    return ReportTree(
        reports={each.community: each for each in given},
        roots=tuple(each.community for each in given if each.community not in under),
        below=below,
        stems=stems,
        holders=Counter(stem for said in stems.values() for stem in said),
        by_unit={unit: tuple(communities) for unit, communities in by_unit.items()},
    )


def selected(
    tree: ReportTree,
    query: Query,
    *,
    threshold: int = RELEVANT,
    max_level: int = MAX_LEVEL,
    most: int = 1_000,
    stop: Callable[[], bool] = lambda: False,
) -> Selection:
    """Rate from the roots down and return what is relevant; ``most`` reports are rated, and none once ``stop`` says so.

    Where no root is relevant, all that is below them is rated: a question about a detail names no whole.
    """
    ratings: dict[CommunityId, int] = {}
    chosen: set[CommunityId] = set()
    waiting = list(tree.roots)
    while waiting:
        relevant: list[CommunityId] = []
        for community in waiting:
            if len(ratings) >= most or stop():
                break
            ratings[community] = tree.rating(query, community)
            if ratings[community] >= threshold:
                relevant.append(community)
        chosen.update(relevant)
        parents = relevant if chosen else waiting
        waiting = [
            child
            for parent in parents
            for child in tree.below[parent]
            if child not in ratings and tree.reports[child].level <= max_level
        ]
        if len(ratings) >= most or stop():
            break
    kept = [each for each in chosen if not any(child in chosen for child in tree.below[each])]
    order = sorted(kept, key=lambda each: (-tree.share(query, each), each))
    return Selection(rated=tuple(ratings.items()), chosen=tuple(order))


def _stems(report: Report) -> Mapping[str, int]:
    return stems_in(" ".join([report.title, *(sentence.text for sentence in report.sentences)]))
