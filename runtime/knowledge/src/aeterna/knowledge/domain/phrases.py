"""Finds noun phrases without a model: runs of words between punctuation and the words that carry no meaning.

It follows RAKE (Rose et al., 2010, "Automatic keyword extraction from individual documents"): what stands between stop
words is a candidate. What a name is compared by is folded: case, form (NFKC) and the plural of English.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from aeterna.knowledge.domain.stop_words import STOP_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from aeterna.knowledge.domain.documents import Span

MAX_WORDS: Final = 4
MAX_WORD_CHARS: Final = 40
_TOKEN: Final = re.compile(r"(\w[\w'\u2019-]*)|[^\w\s]|\n[^\S\n]*\n")
_UNFOLDED_CHARS: Final = 3
_MASK: Final = "|"


class Phrase(NamedTuple):
    """A candidate and its place. ``name`` is normalised; a ``proper`` one is written as a name is."""

    name: str
    words: int
    proper: bool
    start: int
    end: int


class _Read(NamedTuple):
    """What a word is: ``folded`` is empty where it ends a phrase."""

    folded: str
    capital: bool
    inner_capital: bool


def normalised(text: str) -> str:
    """Return what a name is compared by: the same for "Policy Sidecars" and "policy sidecar"; may be empty."""
    return " ".join(folded for found in _TOKEN.finditer(text) if found[1] and (folded := folded_word(found[1])))


@lru_cache(maxsize=1 << 16)
def folded_word(word: str) -> str:
    """Return a word without case, form and the plural that English has; "" for a number or what is no word."""
    folded = unicodedata.normalize("NFKC", word).casefold().strip("'\u2019-_")
    for genitive in ("'s", "\u2019s"):
        folded = folded.removesuffix(genitive)
    if len(folded) > MAX_WORD_CHARS or not any(map(str.isalpha, folded)):
        return ""
    return _singular(folded) if folded.isascii() else folded


def _singular(word: str) -> str:
    """Return the singular of an English word by its ending; a word that only looks like a plural is folded as well."""
    if len(word) <= _UNFOLDED_CHARS or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > len("ties"):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word[:-1]


@lru_cache(maxsize=1 << 16)
def _read(word: str) -> _Read:
    tail = word[1:]
    ends = not tail or word.casefold() in STOP_WORDS
    return _Read("" if ends else folded_word(word), word[0].isupper(), tail != tail.lower())


def masked(text: str, holes: Iterable[Span]) -> str:
    """Return the text with everything that is no prose replaced, so that places stay what they are."""
    parts: list[str] = []
    at = 0
    for hole in holes:
        if hole.end > at:
            start = max(hole.start, at)
            parts += (text[at:start], _MASK * (hole.end - start))
            at = hole.end
    parts.append(text[at:])
    return "".join(parts)


def phrases_in(text: str, span: Span) -> Iterator[Phrase]:
    """Give out the candidates in a part of the text: each run of up to four words, and each single word of a run."""
    run: list[tuple[str, bool, int, int]] = []
    for found in _TOKEN.finditer(text, span.start, span.end):
        word = found[1]
        if word is not None:
            folded, capital, inner_capital = _read(word)
            if folded:
                # A sentence begins with a capital, so the first word's own says nothing.
                run.append((folded, inner_capital or (capital and bool(run)), *found.span()))
                continue
        if run:
            yield from _candidates(run)
            run = []
    if run:
        yield from _candidates(run)


def _candidates(run: Sequence[tuple[str, bool, int, int]]) -> Iterator[Phrase]:
    for folded, proper, start, end in run:
        yield Phrase(folded, 1, proper, start, end)
    if len(run) > 1:
        # English has what a phrase is about at its end.
        words = run if len(run) <= MAX_WORDS else run[-2:]
        name = " ".join([word[0] for word in words])
        yield Phrase(name, len(words), any(word[1] for word in words), words[0][2], words[-1][3])
