"""What a document speaks of, found without a model: noun phrases, code, headings and the texts of links.

What is found depends on this document alone, so that it says the same whatever others are there.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.documents import Block, BlockKind, Parsed, Span, Unit
from aeterna.knowledge.domain.phrases import masked, phrases_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MAX_TERMS_PER_UNIT: Final = 8
MAX_SYMBOLS_PER_UNIT: Final = 8
MAX_PLACES: Final = 16
MAX_NAME_CHARS: Final = 200
_STRONG: Final = 2
"""How many times a word in a heading, a link's text or code counts as one in plain prose."""
_SYMBOL: Final = re.compile(r"@?([^\W\d]\w*(?:(?:\.|::|->|#)[^\W\d]\w*){0,10})(?:\([^()]{0,60}\))?")
_JOINTS: Final = re.compile(r"::|->|#")


@dataclass(slots=True, kw_only=True)
class Mention:
    """That a unit speaks of something: where, and how strongly."""

    name: str
    places: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    count: int = 0

    @property
    def weight(self) -> float:
        """How strongly, damped: the hundredth time says less than the first."""
        return math.sqrt(self.count)

    def add(self, place: tuple[int, int], count: int) -> None:
        """Count one more place."""
        self.count += count
        if len(self.places) < MAX_PLACES:
            self.places.append(place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentions:
    """What one unit speaks of, the strongest first."""

    terms: tuple[Mention, ...]
    symbols: tuple[Mention, ...]


def symbol_name(code: str) -> str | None:
    """Return the name with dots that a piece of code is, as in ``Store::open()``; None where it is something else."""
    found = _SYMBOL.fullmatch(code.strip())
    if found is None or len(found[1]) > MAX_NAME_CHARS:
        return None
    return _JOINTS.sub(".", found[1])


def mentions_of(parsed: Parsed, units: Sequence[Unit]) -> tuple[Mentions, ...]:
    """Return for each unit what it speaks of."""
    prose = masked(parsed.text, parsed.markup)
    strong = _Places([*_headings(parsed.blocks), *(link.span for link in parsed.links)])
    found = [_found(prose, unit.span, strong) for unit in units]
    scores = _scores(found)
    symbols = _symbols(parsed, units)
    return tuple(
        Mentions(terms=_strongest_terms(phrases, scores), symbols=named)
        for phrases, named in zip(found, symbols, strict=True)
    )


class _Places:
    """Spans that do not overlap, asked whether one of them holds a place."""

    def __init__(self, spans: Iterable[Span]) -> None:
        ordered = sorted({(span.start, span.end) for span in spans})
        self._starts = [start for start, _ in ordered]
        self._ends = [end for _, end in ordered]

    def hold(self, place: int) -> bool:
        """Tell whether the character there is in one of them."""
        at = bisect_right(self._starts, place)
        return at > 0 and place < self._ends[at - 1]


def _headings(blocks: Iterable[Block]) -> Iterator[Span]:
    return (block.span for block in blocks if block.kind is BlockKind.HEADING)


@dataclass(slots=True, kw_only=True)
class _Candidate:
    """A phrase within one unit."""

    mention: Mention
    words: int
    proper: bool = False
    strong: bool = False


def _found(prose: str, span: Span, strong: _Places) -> dict[str, _Candidate]:
    found: dict[str, _Candidate] = {}
    for name, words, proper, start, end in phrases_in(prose, span):
        candidate = found.get(name)
        if candidate is None:
            candidate = found[name] = _Candidate(mention=Mention(name=name), words=words)
        is_strong = strong.hold(start)
        candidate.strong |= is_strong
        candidate.proper |= proper
        candidate.mention.add((start, end), _STRONG if is_strong else 1)
    return found


def _scores(found: Sequence[Mapping[str, _Candidate]]) -> dict[str, float]:
    """Return how much each phrase matters to the document; one that is not there says nothing.

    A single word that is written once, as any other word, is left out.
    """
    counts: Counter[str] = Counter()
    best: dict[str, _Candidate] = {}
    for candidates in found:
        for name, candidate in candidates.items():
            counts[name] += candidate.mention.count
            seen = best.setdefault(name, candidate)
            if seen is not candidate:
                seen.strong |= candidate.strong
                seen.proper |= candidate.proper
    return {
        name: math.sqrt(counts[name]) * (1 + 0.25 * (candidate.words - 1)) + 0.5 * candidate.proper + candidate.strong
        for name, candidate in best.items()
        if counts[name] > 1 or candidate.words > 1 or candidate.proper
    }


def _strongest_terms(candidates: Mapping[str, _Candidate], scores: Mapping[str, float]) -> tuple[Mention, ...]:
    ranked = sorted((-scores[name], name) for name in candidates if name in scores)
    return tuple(candidates[name].mention for _, name in ranked[:MAX_TERMS_PER_UNIT])


def _symbols(parsed: Parsed, units: Sequence[Unit]) -> Iterator[tuple[Mention, ...]]:
    """Give out for each unit the symbols that it quotes or defines, the most frequent first."""
    named = sorted(
        [
            *((quoted.span.start, quoted.span.end, symbol_name(quoted.text)) for quoted in parsed.quoted),
            *((symbol.span.start, symbol.span.end, symbol.name) for symbol in parsed.symbols),
        ],
        key=lambda place: place[:2],
    )
    at = 0
    for unit in units:
        mentions: dict[str, Mention] = {}
        while at < len(named) and named[at][0] < unit.span.end:
            start, end, name = named[at]
            at += 1
            if name is not None:
                mentions.setdefault(name, Mention(name=name)).add((start, end), _STRONG)
        ranked = sorted(mentions.values(), key=lambda mention: (-mention.count, mention.name))
        yield tuple(ranked[:MAX_SYMBOLS_PER_UNIT])
