"""Makes a report without a model: the sentences that say most of what a community is about, as they were written."""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from aeterna.knowledge.domain.documents import Span
from aeterna.knowledge.domain.phrases import folded_word
from aeterna.knowledge.domain.report_digests import basis_of, digest_of
from aeterna.knowledge.domain.reports import EXTRACTIVE, Citation, Evidence, Report, Sentence
from aeterna.knowledge.domain.sentences import plain, sentences_of
from aeterna.knowledge.domain.tokens import tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aeterna.knowledge.domain.reports import Material, Member, Passage

_WORD: Final = re.compile(r"\w{2,}")
_STANDS_FOR_TEXT: Final = frozenset({"TextUnit", "Document"})
_TITLE_NAMES: Final = 3
_NAME_CHARS: Final = 60
_CENTRAL: Final = 12
_MOST_SUSPICIOUS: Final = 16
_SAME: Final = 0.6
_FEWEST_WORDS: Final = 4
_MOST_WORDS: Final = 80
_FRAGMENT: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportBudget:
    """How long a report may become, in tokens as `tokens_of` counts them, and in sentences."""

    tokens: int = 2_000
    sentences: int = 20


class _Candidate(NamedTuple):
    """A sentence that might be taken; ``group`` is whom it speaks for, of which no one shall speak alone."""

    sentence: Sentence
    group: str
    words: Counter[str]
    whole: bool


def extractive(material: Material, budget: ReportBudget) -> Report:
    """Return the report of a material: the same one for the same content, whatever order it comes in.

    At the finest level sentences are picked from the passages, above it from the reports below. A sentence counts by
    how much it shares with all others (continuous LexRank of degree: Erkan and Radev, 2004, section 3.2), by the
    central entities that it names, and by the strong relations of which it names both ends; what says the same again
    is left out.
    """
    title = title_of(material)
    candidates = _candidates(material)
    scores = _scores(material, candidates)
    picked = _picked(
        candidates, scores, ReportBudget(tokens=budget.tokens - tokens_of(title), sentences=budget.sentences)
    )
    return report_of(material, title, in_order(candidates[index].sentence for index in picked), made_by=EXTRACTIVE)


def in_order(sentences: Iterable[Sentence]) -> tuple[Sentence, ...]:
    """Return sentences in the order of the documents and of the places in them."""
    return tuple(sorted(sentences, key=lambda one: (*_cited_place(one), one.text)))


def report_of(material: Material, title: str, sentences: Iterable[Sentence], *, made_by: str) -> Report:
    """Return a report with these sentences, in their order, and with all that it stands on."""
    ordered = tuple(sentences)
    return Report(
        community=material.community,
        level=material.level,
        digest=digest_of(material),
        title=title,
        sentences=ordered,
        made_by=made_by,
        tokens=tokens_of(title) + sum(tokens_of(one.text) for one in ordered),
        evidence=_evidence(material, ordered),
        children=tuple(sorted(child.digest for child in material.children)),
        basis=basis_of(material.children),
        suspicious=_suspicious(material),
    )


def central_members(material: Material, count: int = _CENTRAL) -> tuple[Member, ...]:
    """Return the entities with the heaviest edges within the community; passages and documents only stand for text."""
    entities = [one for one in material.members if one.kind not in _STANDS_FOR_TEXT]
    return tuple(sorted(entities, key=lambda one: (-one.weight, one.name, one.id))[:count])


def title_of(material: Material) -> str:
    """Return the names of the central entities, or what the text itself is called where there are none."""
    names = [plain(one.name)[:_NAME_CHARS] for one in central_members(material, _TITLE_NAMES)]
    if not names:
        documents = sorted(
            (one for one in material.members if one.kind == "Document"), key=lambda one: (-one.weight, one.id)
        )
        headings = [one.heading[-1] for one in sorted(material.passages, key=_place) if one.heading]
        names = [plain(name)[:_NAME_CHARS] for name in [*headings, *(one.name for one in documents)]]
    names = names or [child.title for child in sorted(material.children, key=lambda one: one.digest)]
    names = names or sorted(plain(one.name)[:_NAME_CHARS] for one in material.members)
    return ", ".join(dict.fromkeys(name for name in names[: _TITLE_NAMES * 2] if name)) or "Untitled"


def _candidates(material: Material) -> list[_Candidate]:
    found = [
        _Candidate(sentence, child.digest, _words(sentence.text), whole=_is_whole(sentence.text))
        for child in sorted(material.children, key=lambda one: one.digest)
        for sentence in child.sentences
    ]
    for passage in sorted(material.passages, key=_place):
        if passage.suspicious:
            continue
        for span in sentences_of(passage.text):
            at = Span(start=passage.span.start + span.start, end=passage.span.start + span.end)
            cited = Citation(document=passage.document, unit=passage.unit, span=at)
            text = plain(passage.text[span.start : span.end])
            found.append(
                _Candidate(
                    Sentence(text=text, citations=(cited,)), passage.document, _words(text), whole=_is_whole(text)
                )
            )
    return found


def _scores(material: Material, candidates: Sequence[_Candidate]) -> list[float]:
    vectors = _vectors(candidates)
    # The sum of a sentence's cosines to all is its product with the sum of all, so nobody is compared in pairs.
    total: dict[str, float] = defaultdict(float)
    for vector in vectors:
        for word, value in vector.items():
            total[word] += value
    central = [math.fsum(value * total[word] for word, value in vector.items()) for vector in vectors]
    top = max(central, default=0.0) or 1.0
    naming = _Naming(material)
    return [
        (score / top + naming.bonus(candidate.words)) * (1.0 if candidate.whole else _FRAGMENT)
        for candidate, score in zip(candidates, central, strict=True)
    ]


class _Naming:
    """Says how many of the central entities, and of the strong relations' ends, a sentence names."""

    def __init__(self, material: Material) -> None:
        members = central_members(material)
        heaviest = max((one.weight for one in members), default=0.0) or 1.0
        self._entities = [(_words(one.name), one.weight / heaviest) for one in members]
        words = {one.id: _words(one.name) for one in material.members if one.kind not in _STANDS_FOR_TEXT}
        between = [one for one in material.relations if one.source in words and one.target in words]
        strong = sorted(between, key=lambda one: (-one.weight, one.source, one.type, one.target))[:_CENTRAL]
        strongest = max((one.weight for one in strong), default=0.0) or 1.0
        self._relations = [(words[one.source] + words[one.target], one.weight / strongest) for one in strong]

    def bonus(self, words: Counter[str]) -> float:
        """Return between 0 and 2."""
        return self._share(self._entities, words) + self._share(self._relations, words)

    @staticmethod
    def _share(named: Sequence[tuple[Counter[str], float]], words: Counter[str]) -> float:
        total = math.fsum(weight for _, weight in named)
        said = math.fsum(weight for name, weight in named if name and name.keys() <= words.keys())
        # The root: the first entity that is named says more than the tenth.
        return math.sqrt(said / total) if total > 0 else 0.0


def _picked(candidates: Sequence[_Candidate], scores: Sequence[float], budget: ReportBudget) -> list[int]:
    """Return which sentences are taken, best first, until the budget is used up.

    A score only falls while others are taken, so the top of a heap whose score still holds is the best of all.
    """
    vectors = _vectors(candidates)
    spoken: Counter[str] = Counter()
    heap = [(-score, index) for index, score in enumerate(scores)]
    heapq.heapify(heap)
    taken: list[int] = []
    tokens = 0
    while heap and len(taken) < budget.sentences:
        negative, index = heapq.heappop(heap)
        candidate = candidates[index]
        now = -scores[index] / (1.0 + spoken[candidate.group] / 4)
        if now > negative:
            heapq.heappush(heap, (now, index))
            continue
        cost = tokens_of(candidate.sentence.text)
        if tokens + cost > budget.tokens or any(_likeness(vectors[index], vectors[other]) > _SAME for other in taken):
            continue
        taken.append(index)
        spoken[candidate.group] += 1
        tokens += cost
    return taken


def _vectors(candidates: Sequence[_Candidate]) -> list[dict[str, float]]:
    """Return each sentence's words, weighted by how rare they are here, as a vector of length 1."""
    frequency = Counter(word for candidate in candidates for word in candidate.words)
    rarity = {word: math.log((1 + len(candidates)) / count) for word, count in frequency.items()}
    vectors: list[dict[str, float]] = []
    for candidate in candidates:
        weighted = {word: (1 + math.log(count)) * rarity[word] for word, count in sorted(candidate.words.items())}
        length = math.sqrt(math.fsum(value * value for value in weighted.values())) or 1.0
        vectors.append({word: value / length for word, value in weighted.items()})
    return vectors


def _likeness(one: dict[str, float], other: dict[str, float]) -> float:
    return math.fsum(value * other.get(word, 0.0) for word, value in one.items())


def _words(text: str) -> Counter[str]:
    """Return the words of a text, folded as the names of terms are: a sentence names what it has in the plural."""
    return Counter(folded_word(word) or word.casefold() for word in _WORD.findall(text))


def _is_whole(text: str) -> bool:
    """Say whether this reads like a sentence and not like a caption, a heading or a line of code."""
    words = len(text.split())
    return _FEWEST_WORDS <= words <= _MOST_WORDS and text.rstrip("\"')]*_`»”’")[-1:] in ".!?…。！？"  # noqa: RUF001 - stops


def _cited_place(sentence: Sentence) -> tuple[str, Span, str]:
    first = sentence.citations[0]
    return first.document, first.span, first.unit


def _place(passage: Passage) -> tuple[str, Span, str]:
    return passage.document, passage.span, passage.unit


def _evidence(material: Material, sentences: Iterable[Sentence]) -> tuple[Evidence, ...]:
    if not material.children:
        made_of = (Evidence(unit=one.unit, document=one.document, start=one.span.start) for one in material.passages)
        return tuple(sorted(made_of))
    starts = {one.unit: one for child in material.children for one in child.evidence}
    cited = {citation.unit for one in sentences for citation in one.citations}
    cited |= {one.unit for one in _suspicious(material)}
    return tuple(sorted(starts[unit] for unit in cited))


def _suspicious(material: Material) -> tuple[Citation, ...]:
    own = (Citation(document=one.document, unit=one.unit, span=one.span) for one in material.passages if one.suspicious)
    carried = (citation for child in material.children for citation in child.suspicious)
    return tuple(sorted({*own, *carried})[:_MOST_SUSPICIOUS])
