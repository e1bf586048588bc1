"""Finds what a question names in the graph, and the passages that speak of it."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.documents import UnitId
from aeterna.knowledge.domain.surroundings import CODE_PREFIX, MENTIONS, TERM_PREFIX, TEXT_UNIT, UNIT_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.knowledge.domain.queries import Query
    from aeterna.knowledge.domain.surroundings import GraphNode
    from aeterna.knowledge.ports import GraphReading
    from aeterna.knowledge.usecases.deadlines import Deadline

MAX_NAMED: Final = 12
MAX_MENTIONS: Final = 300
"""What more units than this mention is a hub: it tells nothing apart, and full text ranks them better."""
_DIGITS: Final = 9


def named_by(reading: GraphReading, query: Query) -> tuple[GraphNode, ...]:
    """Return the terms and symbols that the question names, those of more words first."""
    ids = [f"{prefix}{name}" for name in query.names for prefix in (TERM_PREFIX, CODE_PREFIX)]
    ids += (f"{CODE_PREFIX}{phrase}" for phrase in query.phrases)
    return tuple(reading.nodes(ids).values())[:MAX_NAMED]


def units_naming(
    reading: GraphReading, named: Sequence[GraphNode], deadline: Deadline
) -> tuple[Mapping[UnitId, float], tuple[str, ...]]:
    """Return how much each unit speaks of these terms, and those terms that are hubs.

    A term that few units mention tells more than one that many do, and one of several words more than each of them.
    """
    scores: dict[UnitId, float] = defaultdict(float)
    hubs: list[str] = []
    for term in named:
        if deadline.passed:
            break
        mentions, more = reading.around(
            term.id, types=[MENTIONS], kinds=[TEXT_UNIT], direction="in", limit=MAX_MENTIONS
        )
        if more:
            hubs.append(term.id)
            continue
        telling = math.log(1 + MAX_MENTIONS / max(1, len(mentions))) * len(term.name.split())
        for each in mentions:
            scores[UnitId(each.node.id.removeprefix(UNIT_PREFIX))] += telling * each.weight / (1 + each.weight)
    return {unit: round(score, _DIGITS) for unit, score in scores.items()}, tuple(hubs)
