"""Reads a question in plain language without a model: the words that tell, what is quoted, and how words may end.

Words that only hold a sentence together are left out. A word is looked for as it stands and by its stem, since texts
are not indexed by stems: "deleted" also finds "deletes" and "deletion". A stem of four letters and more is the
beginning of the words that are looked for; a shorter one is looked for as a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from aeterna.graph.domain.questions.function_words import FUNCTION_WORDS
from aeterna.graph.domain.questions.searches import MAX_TERMS, MAX_TEXT_CHARS
from aeterna.graph.domain.questions.words import words
from aeterna.knowledge.domain.phrases import folded_word
from aeterna.knowledge.errors import QuestionRefusedError

MAX_QUESTION_CHARS: Final = 2_000
MAX_NAME_WORDS: Final = 4
_QUOTED: Final = re.compile(r'"([^"]*)"')
# What is one name although it has several words: graph.query_timeout, order_items, AETERNA_PORT, svc:checkout-api.
_IDENTIFIER: Final = re.compile(r"[^\W_]+(?:(?:[_.:/-]|::|->)+[^\W_]+)+|[a-z]+[A-Z]\w+")
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

    ``words`` tell, in the order of the question and each once; ``phrases`` were quoted or are identifiers, and stand
    together. ``names`` are what terms in the question may be called, as `folded_word` writes them.
    """

    text: str
    words: tuple[str, ...]
    phrases: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def search_text(self) -> str:
        """Return what full text is asked for any of: phrases, words and their stems, as many as it takes."""
        wanted = [f'"{phrase}"' for phrase in self.phrases]
        wanted += self.words
        wanted += [stem for word in self.words if (stem := stemmed(word))]
        kept: list[str] = []
        room = MAX_TEXT_CHARS
        for term in list(dict.fromkeys(wanted))[:MAX_TERMS]:
            room -= len(term) + 1
            if room < 0:
                break
            kept.append(term)
        return " ".join(kept)


def query_of(text: str) -> Query:
    """Read a question; raise `QuestionRefusedError` where it is too long or holds no word."""
    if len(text) > MAX_QUESTION_CHARS:
        raise QuestionRefusedError(f"has {len(text)} characters, more than {MAX_QUESTION_CHARS}")
    found = list(dict.fromkeys(word.text for word in words(text)))
    telling = tuple(word for word in found if word not in FUNCTION_WORDS and len(word) > 1) or tuple(found)
    if not telling:
        raise QuestionRefusedError("holds no word")
    quoted = [each.strip() for each in _QUOTED.findall(text)]
    identifiers = _IDENTIFIER.findall(_QUOTED.sub(" ", text))
    phrases = tuple(dict.fromkeys(each for each in (*quoted, *identifiers) if any(words(each))))
    return Query(text=text, words=telling, phrases=phrases, names=_names(text))


def stemmed(word: str) -> str:
    """Return what other forms of a word are found by: ``delet*``, or ``key`` for "keys"; "" where there is nothing."""
    if not word.isascii() or not word.isalpha() or len(word) <= _SHORTEST:
        return ""
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
    return f"{word}*" if len(word) > _BEGINNING else ""


def folded(text: str) -> frozenset[str]:
    """Return the telling words of a text as two texts are compared by: without endings."""
    return frozenset(
        (stemmed(word.text) or word.text).rstrip("*") for word in words(text) if word.text not in FUNCTION_WORDS
    )


def _names(text: str) -> tuple[str, ...]:
    """Return every run of one to four words of the question, the longest first: what a term may be called."""
    runs = [
        [each for word in run.split() if (each := folded_word(word.strip(".,;:!?()[]{}'`")))]
        for run in re.split(r'[.,;:!?()"]\s', text)
    ]
    names = (
        " ".join(run[start : start + length])
        for length in range(MAX_NAME_WORDS, 0, -1)
        for run in runs
        for start in range(len(run) - length + 1)
    )
    return tuple(dict.fromkeys(name for name in names if name not in FUNCTION_WORDS))
