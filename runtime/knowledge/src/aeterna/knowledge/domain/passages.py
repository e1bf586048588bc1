"""How well passages answer a question by their words, and which of their neighbours belong to them.

The rating is BM25 (Robertson and Zaragoza, 2009) over a passage's text and the titles above it. Passages differ in
length because their authors' paragraphs do, so length counts for less than the usual. A passage gains a little by what
stands beside it and by what else its document says, since a question is often answered below the words that it uses.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.documents import Span
from aeterna.knowledge.domain.queries import stems_in
from aeterna.knowledge.domain.reports import Passage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aeterna.knowledge.domain.documents import DocumentId, UnitId
    from aeterna.knowledge.domain.queries import Query

MAX_WINDOW_CHARS: Final = 1_600
_K1: Final = 1.2
_B: Final = 0.3
_USUAL_WORDS: Final = 80  # of a passage
_BESIDE: Final = 0.2
_DOCUMENT: Final = 0.1
_OF_DOCUMENT: Final = 3  # of its best passages
_MAX_GAP: Final = 16  # characters of white space between two passages that follow each other
_DIGITS: Final = 9  # more would let the order of a sum decide between equals


@dataclass(frozen=True, slots=True, kw_only=True)
class Rarity:
    """How many of ``nodes`` hold each stem: the fewer, the more it tells."""

    nodes: int
    holders: Mapping[str, int]

    def of(self, stem: str) -> float:
        """Return the weight of a stem, as BM25 has it."""
        holders = min(self.holders.get(stem, 0), self.nodes)
        return math.log(1 + (self.nodes - holders + 0.5) / (holders + 0.5))


def rated(query: Query, passages: Iterable[Passage], rarity: Rarity) -> dict[UnitId, float]:
    """Return how well each passage answers by its words."""
    found = sorted(passages, key=lambda each: (each.document, each.span))
    own = {each.unit: _own(query, each, rarity) for each in found}
    best: dict[DocumentId, list[float]] = defaultdict(list)
    for each in found:
        best[each.document].append(own[each.unit])
    of_document = {document: sum(sorted(scores, reverse=True)[:_OF_DOCUMENT]) for document, scores in best.items()}
    beside: dict[UnitId, float] = defaultdict(float)
    for one, other in itertools.pairwise(found):
        if follows(one, other):
            beside[one.unit] = max(beside[one.unit], own[other.unit])
            beside[other.unit] = max(beside[other.unit], own[one.unit])
    return {
        each.unit: round(own[each.unit] + _BESIDE * beside[each.unit] + _DOCUMENT * of_document[each.document], _DIGITS)
        for each in found
    }


def follows(one: Passage, other: Passage) -> bool:
    """Tell whether nothing but white space is between the end of one passage and the beginning of the other."""
    return one.document == other.document and 0 <= other.span.start - one.span.end <= _MAX_GAP


def window(
    best: Passage, around: Sequence[Passage], scores: Mapping[UnitId, float], taken: set[UnitId]
) -> list[Passage]:
    """Return a passage with those before and behind it in its section, the better ones first, as long as there is room.

    ``around`` are passages of its document in their order; those that are ``taken`` end a window.
    """
    at = next((place for place, each in enumerate(around) if each.unit == best.unit), None)
    if at is None:
        return [best]
    first = last = at
    room = MAX_WINDOW_CHARS - len(best.text)
    while True:
        sides = [
            (scores.get(around[place].unit, 0.0), -place, place)
            for place, near in ((first - 1, first), (last + 1, last))
            if 0 <= place < len(around)
            and around[place].unit not in taken
            and around[place].heading == best.heading
            and len(around[place].text) <= room
            and follows(*sorted((around[place], around[near]), key=lambda each: each.span))
        ]
        if not sides:
            return list(around[first : last + 1])
        place = max(sides)[2]
        room -= len(around[place].text)
        first, last = min(first, place), max(last, place)


def joined(passages: Sequence[Passage], best: Passage) -> Passage:
    """Return passages that follow each other as one, known by the best; its places are still those of the document."""
    text = passages[0].text
    for one, other in itertools.pairwise(passages):
        text += "\n" * (other.span.start - one.span.end) + other.text
    return Passage(
        unit=best.unit,
        document=best.document,
        span=Span(start=passages[0].span.start, end=passages[-1].span.end),
        heading=best.heading,
        text=text,
        suspicious=any(each.suspicious for each in passages),
    )


def _own(query: Query, passage: Passage, rarity: Rarity) -> float:
    text = stems_in(passage.text)
    titles = stems_in(f"{' '.join(passage.heading)} {passage.document}")
    length = 1 - _B + _B * text.total() / _USUAL_WORDS
    score = 0.0
    for stem, weight in query.weights:
        count = text[stem] + titles[stem]
        if count:
            score += weight * rarity.of(stem) * count * (_K1 + 1) / (count + _K1 * length)
    said = passage.text.casefold()
    return score + sum(rarity.of(phrase) for phrase in query.phrases if phrase.casefold() in said)
