"""Reads a question in plain language without a model: the words that tell, what is quoted, and how words may end.

Words that only hold a sentence together are left out. A word is looked for by its stem, since texts are not indexed by
stems: "deleted" is looked for as ``delet*``, which finds "deletes" and "deletion". A stem of four letters and more is
the beginning of words; a shorter one is a word.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from aeterna.graph.domain.questions.function_words import FUNCTION_WORDS
from aeterna.graph.domain.questions.searches import MAX_TERMS, MAX_TEXT_CHARS
from aeterna.graph.domain.questions.words import has_parts, parts, spaced, words
from aeterna.knowledge.domain.phrases import folded_word
from aeterna.knowledge.domain.stop_words import STOP_WORDS
from aeterna.knowledge.domain.synonyms import SYNONYMS
from aeterna.knowledge.errors import QuestionRefusedError

MAX_QUESTION_CHARS: Final = 2_000
MAX_NAME_WORDS: Final = 4
MAX_NAMES: Final = 64
VAGUE: Final = 0.5
"""How much a word counts that says little of what is asked about, such as "happens"."""
SYNONYMOUS: Final = 0.35
"""How much a word counts that was not asked for, but means the same."""
_ASCII_WORD: Final = re.compile(r"[a-z0-9]+")
_QUOTED: Final = re.compile(r'"([^"]*)"')
# What is one name although it has several words: graph.query_timeout, order_items, AETERNA_PORT, svc:checkout-api.
_IDENTIFIER: Final = re.compile(r"[^\W_]+(?:(?:[_./]|::|->|:(?=\w))[^\W_]+)+")
_CLAUSE: Final = re.compile(r'[.,;:!?()"]+(?:\s|$)|"')
_BEGINNING: Final = 4  # letters that a stem needs to say anything of what it begins
_SHORTEST: Final = 3
# What English puts behind a stem, the longest first. Of an ending that begins with a vowel only the stem is left, which
# other forms of the word begin with too: polic(y, ies), delet(e, es, ed, ing, ion), configur(e, ation).
_ENDINGS: Final = (
    *("ations", "ation", "ements", "ement", "ingly", "ments"),
    *("ment", "ions", "ings", "edly", "able", "ance", "ures"),
    *("ion", "ing", "ies", "ied", "ers", "ors", "ure", "ely", "ily"),
    *("es", "ed", "er", "or", "ly", "s", "e", "y"),
)
_DOUBLED: Final = re.compile(r"([bdgklmnprt])\1$")  # stopped, running, controlled


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a question looks for.

    ``weights`` has the stems of its words, and of words that mean the same, with how much each counts. ``phrases``
    were quoted or are identifiers, and stand together. ``names`` are what terms in the question may be called, as
    `folded_word` writes them, the longest first.
    """

    text: str
    weights: tuple[tuple[str, float], ...]
    phrases: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def searches(self) -> tuple[tuple[str, ...], ...]:
        """Return what full text is asked for to find candidates: what was said, then what means the same."""
        said = [
            *(f'"{phrase}"' for phrase in self.phrases),
            *(stem for stem, weight in self.weights if not _meant(weight)),
        ]
        meant = [stem for stem, weight in self.weights if _meant(weight)]
        return tuple(_bounded(terms) for terms in (said, meant) if terms)


def query_of(text: str) -> Query:
    """Read a question; raise `QuestionRefusedError` where it is too long or holds no word."""
    if len(text) > MAX_QUESTION_CHARS:
        raise QuestionRefusedError(f"has {len(text)} characters, more than {MAX_QUESTION_CHARS}")
    found = list(dict.fromkeys(word.text for word in words(text)))
    telling = [word for word in found if word not in FUNCTION_WORDS and len(word) > 1] or found
    if not telling:
        raise QuestionRefusedError("holds no word")
    weights = dict[str, float]()
    for word in telling:
        weights.setdefault(stem_of(word), VAGUE if word in STOP_WORDS else 1.0)
    synonyms = {by_stem: others for word, others in SYNONYMS.items() if (by_stem := stem_of(word)) in weights}
    for stem in tuple(weights):
        for other in synonyms.get(stem, ()):
            weights.setdefault(stem_of(other), SYNONYMOUS * weights[stem])
    quoted = [each.strip() for each in _QUOTED.findall(text)]
    identifiers = _IDENTIFIER.findall(_QUOTED.sub(" ", text))
    phrases = tuple(dict.fromkeys(each for each in (*quoted, *identifiers) if any(words(each))))
    return Query(text=text, weights=tuple(weights.items()), phrases=phrases, names=_names(text))


@lru_cache(maxsize=1 << 16)
def stem_of(word: str) -> str:
    """Return what all forms of a word are found by: ``delet*`` for "deletes", ``key`` for "keys", or the word."""
    if not word.isascii() or not word.isalpha() or len(word) <= _SHORTEST:
        return word
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem == word or (ending == "s" and word.endswith(("ss", "us", "is"))):
            continue
        if ending in {"ing", "ed", "er", "ers"}:
            stem = _DOUBLED.sub(r"\1", stem)
        if len(stem) >= _BEGINNING:
            return f"{stem}*"
        if len(stem) == _SHORTEST and ending in {"s", "ing", "ed"}:
            return stem
    return f"{word}*" if len(word) >= _BEGINNING else word


def stems_in(text: str) -> Counter[str]:
    """Count the stems of a text; a name counts as it stands and by its parts."""
    if text.isascii():
        # As `words` and `parts` do it, in a fraction of the time: a question looks at some hundred passages.
        found = _ASCII_WORD.findall(text.lower())
        inner = _ASCII_WORD.findall(spaced(text).lower()) if has_parts(text) else []
    else:
        found = [word.text for word in words(text)]
        inner = [part.text for part in parts(text)] if has_parts(text) else []
    counted = Counter(map(stem_of, found))
    if inner:
        whole = set(found)
        counted.update(stem_of(part) for part in inner if part not in whole)
    return counted


def _meant(weight: float) -> bool:
    return weight not in {1.0, VAGUE}


def _bounded(terms: list[str]) -> tuple[str, ...]:
    kept: list[str] = []
    room = MAX_TEXT_CHARS
    for term in terms[:MAX_TERMS]:
        room -= len(term) + 1
        if room < 0:
            break
        kept.append(term)
    return tuple(kept)


def _names(text: str) -> tuple[str, ...]:
    """Return every run of one to four words of the question, the longest first: what a term may be called."""
    runs = [
        [folded for word in run.split() if (folded := folded_word(word.strip(".,;:!?()[]{}'`")))]
        for run in _CLAUSE.split(text)
    ]
    names = (
        " ".join(run[start : start + length])
        for length in range(MAX_NAME_WORDS, 0, -1)
        for run in runs
        for start in range(len(run) - length + 1)
    )
    telling = (name for name in names if any(word not in STOP_WORDS for word in name.split()))
    return tuple(dict.fromkeys(telling))[:MAX_NAMES]
