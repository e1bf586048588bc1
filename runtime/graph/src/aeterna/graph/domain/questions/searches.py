"""Finding nodes by words: what a client may type, and the shape of the answer.

Every word must be found, or any of them, as is asked. ``"a phrase"`` in quotation marks is found as it stands, and a
word that ends in ``*`` finds all that begin with it. Nothing else has a meaning, so nothing that is typed can be
malformed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast, get_args

from aeterna.graph.domain.identifiers import Json, Label, NodeId, SnapshotId
from aeterna.graph.domain.questions import checks
from aeterna.graph.domain.questions.function_words import FUNCTION_WORDS
from aeterna.graph.domain.questions.words import Word, has_parts, parts, words
from aeterna.graph.errors import InvalidQueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_HITS: Final = 100
MAX_TEXT_CHARS: Final = 512
MAX_TERMS: Final = 32
MAX_INDEXED_CHARS: Final = 16_384
SNIPPET_CHARS: Final = 160
NAMES: Final = frozenset({"name", "title", "label"})
_TERM: Final = re.compile(r'"([^"]*)"(\*?)|(\S+)')

Phrase: TypeAlias = tuple[str, ...]
Match: TypeAlias = Literal["all", "any"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Words that stand together; any of the ``phrases`` will do. With ``prefix`` the last word may go on."""

    phrases: tuple[Phrase, ...]
    prefix: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """Which nodes hold the terms in their id or in a text of their properties. Build it with `search_query`.

    With ``match`` "any" one term will do, and terms that so many nodes hold that they tell none apart may be left out
    while there are rarer ones. Unless it is to be ``explained``, hits do not say where words were found, which is most
    of the work on long texts.
    """

    terms: tuple[Term, ...]
    kinds: frozenset[Label]
    limit: int
    match: Match = "all"
    explained: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Where words were found: ``id`` or ``properties.<path>``, the text around them, and their places in that."""

    field: str
    snippet: str
    places: tuple[tuple[int, int], ...]  # start and end in characters of the snippet


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A node that was found. A score says nothing outside its own answer."""

    id: NodeId
    kind: Label
    score: float
    matched: tuple[Matched, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """The best first, then in order of id.

    A search for any of some terms also says how many of the ``nodes`` that there are hold each of them, of any kind:
    what another ranking needs. That of a beginning may count a node more than once.
    """

    snapshot_id: SnapshotId | None
    seq: int
    hits: tuple[Hit, ...]
    nodes: int = 0
    holders: tuple[int, ...] = ()


def search_query(
    text: str, *, kinds: Iterable[str] = (), limit: int = 20, match: str = "all", explained: bool = True
) -> SearchQuery:
    """Check and make the question; raise `InvalidQueryError` when it is too long or holds no word.

    With ``match`` "any", function words such as "how" and "the" are left out of a question that has others.
    """
    if match not in get_args(Match):
        raise InvalidQueryError("match", "must be all or any")
    if len(text) > MAX_TEXT_CHARS:
        raise InvalidQueryError("q", f"at most {MAX_TEXT_CHARS} characters may be given, not {len(text)}")
    terms = tuple(dict.fromkeys(_terms(text)))
    if match == "any":
        terms = tuple(term for term in terms if not _is_function_word(term)) or terms
    if not terms:
        raise InvalidQueryError("q", "holds no word: give letters or digits to look for")
    if len(terms) > MAX_TERMS:
        raise InvalidQueryError("q", f"at most {MAX_TERMS} words may be given, not {len(terms)}")
    return SearchQuery(
        terms=terms,
        kinds=checks.labels(kinds, "kind"),
        limit=checks.within(limit, 1, MAX_HITS, "limit"),
        match=cast("Match", match),
        explained=explained,
    )


def texts_of(properties: Json) -> list[tuple[str, str]]:
    """Return the path and the text of every text in the properties, `MAX_INDEXED_CHARS` of them together at most."""
    found: list[tuple[str, str]] = []
    room = MAX_INDEXED_CHARS
    for path, text in _texts("properties", json.loads(properties)):
        if room <= 0:
            break
        found.append((path, text[:room]))
        room -= len(text)
    return found


def is_name(path: str) -> bool:
    """Tell whether a property is what its node is called, so that finding it there counts more."""
    return path.removeprefix("properties.") in NAMES


def matched(query: SearchQuery, node: NodeId, properties: Json) -> tuple[Matched, ...]:
    """Return the fields in which any term is found: the id, then properties in their order; none if none is asked."""
    if not query.explained:
        return ()
    found = (_matched(query, field, text) for field, text in (("id", str(node)), *texts_of(properties)))
    return tuple(each for each in found if each is not None)


def places(term: Term, standing: list[Word]) -> Iterator[tuple[int, int]]:
    """Yield start and end of every place where the term is found among words in their order."""
    for phrase in term.phrases:
        head, last = phrase[:-1], phrase[-1]
        for at in range(len(head), len(standing)):
            word = standing[at].text
            if not (word.startswith(last) if term.prefix else word == last):
                continue
            if all(standing[at - len(head) + place].text == wanted for place, wanted in enumerate(head)):
                yield standing[at - len(head)].start, standing[at].end


def _matched(query: SearchQuery, field: str, text: str) -> Matched | None:
    streams = [list(words(text)), *([list(parts(text))] if has_parts(text) else [])]
    found = sorted({place for term in query.terms for stream in streams for place in places(term, stream)})
    if not found:
        return None
    begin = max(0, found[0][0] - SNIPPET_CHARS // 4)
    end = begin + SNIPPET_CHARS
    return Matched(
        field=field,
        snippet=text[begin:end],
        places=tuple((start - begin, stop - begin) for start, stop in found if stop <= end),
    )


def _terms(text: str) -> Iterator[Term]:
    for found in _TERM.finditer(text):
        quoted, star, word = found.groups()
        prefix = bool(star) if quoted is not None else word.endswith("*")
        given = quoted if quoted is not None else word
        phrases = dict.fromkeys(
            phrase for phrase in (tuple(each.text for each in split(given)) for split in (words, parts)) if phrase
        )
        if phrases:
            yield Term(phrases=tuple(phrases), prefix=prefix)


def _is_function_word(term: Term) -> bool:
    return not term.prefix and all(len(phrase) == 1 and phrase[0] in FUNCTION_WORDS for phrase in term.phrases)


def _texts(path: str, value: object) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield path, value
        case dict():
            for name, each in cast("dict[str, object]", value).items():
                yield from _texts(f"{path}.{name}", each)
        case list():
            for each in cast("list[object]", value):
                yield from _texts(path, each)
        case _:
            return
