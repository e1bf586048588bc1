"""An answer: its sentences with their citations, the evidence they were taken from, and what was read for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aeterna.knowledge.domain.communities import CommunityId
from aeterna.knowledge.domain.documents import UnitId
from aeterna.knowledge.domain.reports import EXTRACTIVE, Citation, Passage, Sentence


class Leg(StrEnum):
    """One of the ways in which evidence is found."""

    TEXT = "text"
    """By the words of the question."""
    GRAPH = "graph"
    """By the terms that the question names, and by what they stand beside."""
    VECTORS = "vectors"
    """By likeness of meaning, where there are embeddings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLimits:
    """How much one question reads and returns. ``tokens`` is for all evidence together.

    ``candidates`` is how many each way of finding may contribute; ``seconds`` is when no further one is begun.
    """

    evidence: int = 10
    tokens: int = 4_000
    candidates: int = 100
    sentences: int = 6
    answer_tokens: int = 500
    seconds: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Text that may answer the question: a unit, with those beside it in its section as far as there is room.

    ``passage`` is all of it, known by the unit that was found; ``units`` are in the order of the text. ``ranks`` has
    that unit's place, from 1, in each way of finding it was found by.
    """

    passage: Passage
    units: tuple[Passage, ...]
    score: float
    ranks: tuple[tuple[str, int], ...]

    @property
    def citation(self) -> Citation:
        """Return the place of the unit that was found."""
        found = next(each for each in self.units if each.unit == self.passage.unit)
        return Citation(document=found.document, unit=found.unit, span=found.span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What was read for an answer.

    ``found`` counts what each way of finding returned. ``named`` are the nodes that the question names, and ``hubs``
    those of them that so much speaks of that they tell nothing apart. ``rated`` has the communities whose reports were
    looked at, with their rating, and ``chosen`` those that the answer is made of. ``tokens`` is how many were read.
    ``cut_short`` says that time or room ended it.
    """

    seq: int = 0
    found: tuple[tuple[str, int], ...] = ()
    named: tuple[str, ...] = ()
    hubs: tuple[str, ...] = ()
    rated: tuple[tuple[CommunityId, int], ...] = ()
    chosen: tuple[CommunityId, ...] = ()
    units: tuple[UnitId, ...] = ()
    tokens: int = 0
    cut_short: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Evidence, the best first."""

    evidence: tuple[Evidence, ...]
    trace: Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is said to a question. ``made_by`` is as of a report; no sentence means that nothing was found."""

    sentences: tuple[Sentence, ...]
    evidence: tuple[Evidence, ...]
    trace: Trace
    made_by: str = EXTRACTIVE
