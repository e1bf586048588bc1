"""Answers a question with sentences as they stand in what was found, each with its place."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.documents import Span
from aeterna.knowledge.domain.queries import stems_in
from aeterna.knowledge.domain.reports import Citation, Sentence
from aeterna.knowledge.domain.sentences import plain, sentences_of
from aeterna.knowledge.domain.tokens import tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aeterna.knowledge.domain.answers import Evidence, SearchLimits
    from aeterna.knowledge.domain.queries import Query

_USUAL_WORDS: Final = 20  # of a sentence; a longer one has to say more to be as good
_DIGITS: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A sentence that may be part of an answer; ``rank`` is its source's, from 1."""

    sentence: Sentence
    rank: int


def candidates_of(evidence: Sequence[Evidence]) -> list[Candidate]:
    """Return the sentences of all evidence; a passage that speaks to models is cited and never quoted."""
    found: list[Candidate] = []
    for rank, each in enumerate(evidence, start=1):
        for unit in each.units:
            if unit.suspicious:
                continue
            for span in sentences_of(unit.text):
                place = Span(start=unit.span.start + span.start, end=unit.span.start + span.end)
                cited = Citation(document=unit.document, unit=unit.unit, span=place)
                text = plain(unit.text[span.start : span.end])
                found.append(Candidate(sentence=Sentence(text=text, citations=(cited,)), rank=rank))
    return found


def extracted(query: Query, candidates: Iterable[Candidate], limits: SearchLimits) -> tuple[Sentence, ...]:
    """Return the sentences that say most of what was asked, the best first; none that says nothing of it.

    A word that few of the sentences hold tells more, and what another sentence said already counts half.
    """
    given = list({each.sentence.text: each for each in reversed(list(candidates))}.values())
    stems = [stems_in(each.sentence.text) for each in given]
    holders = Counter(stem for each in stems for stem in each)
    weights = {stem: weight * math.log(1 + len(given) / (1 + holders[stem])) for stem, weight in query.weights}
    chosen: list[int] = []
    said: set[str] = set()
    tokens = 0
    left = set(range(len(given)))

    def worth(place: int) -> tuple[float, int, str]:
        told = sum(weight / (2 if stem in said else 1) for stem, weight in weights.items() if stems[place][stem])
        length = math.sqrt(max(1.0, stems[place].total() / _USUAL_WORDS))
        return (
            -round(told / length / (1 + given[place].rank / 10), _DIGITS),
            given[place].rank,
            given[place].sentence.text,
        )

    while left and len(chosen) < limits.sentences:
        best = min(left, key=worth)
        if worth(best)[0] == 0:
            break
        left.discard(best)
        cost = tokens_of(given[best].sentence.text)
        if tokens + cost > limits.answer_tokens:
            continue
        tokens += cost
        chosen.append(best)
        said |= {stem for stem in weights if stems[best][stem]}
    return tuple(given[place].sentence for place in chosen)
