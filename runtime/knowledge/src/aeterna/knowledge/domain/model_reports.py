"""What a model is asked for a report, and what of its answer stands: sentences that cite, and add nothing."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.contracts.json_value import is_array, is_object
from aeterna.knowledge.domain.extractive import central_members, title_of
from aeterna.knowledge.domain.models import AnswerForm, Question, Source
from aeterna.knowledge.domain.reports import Citation, Sentence
from aeterna.knowledge.domain.sentences import plain
from aeterna.knowledge.domain.tokens import tokens_of
from aeterna.knowledge.domain.verified import Verified

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aeterna.contracts.json_value import JsonValue
    from aeterna.knowledge.domain.reports import Material, Passage

_VERSION: Final = 1
_MOST_PROMPT_TOKENS: Final = 12_000
_MOST_SENTENCES: Final = 20
_MOST_CITED: Final = 8
_SENTENCE_CHARS: Final = 600
_TITLE_CHARS: Final = 120
_INSTRUCTIONS: Final = """\
You write reports on groups of related passages for engineers who will search them. From the numbered sources, say
what this group is about: the most important entities, how they relate, and the facts that matter. Write in the
language of the sources, in plain declarative sentences that each stand alone. Give with each sentence the numbers of
the sources that it follows from. Say nothing that the sources do not say; take names, numbers and addresses over
exactly."""
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s)>\]]+", re.IGNORECASE)
_FIGURE: Final = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD: Final = re.compile(r"\w{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportText:
    """A report's words."""

    title: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """What a number in an answer means: a source's text, and the places that it was taken from."""

    text: str
    citations: tuple[Citation, ...]
    suspicious: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuestion:
    """A question for a report, and what the numbers of its sources cite."""

    question: Question
    cited: tuple[Cited, ...]


def report_question(material: Material, *, answer_tokens: int) -> ReportQuestion | None:
    """Return what to ask about a material, or None where there is no text in it."""
    sources, cited = list[Source](), list[Cited]()
    tokens = 0
    for source, place in _pieces(material):
        tokens += tokens_of(source.text) + tokens_of(source.label)
        if tokens > _MOST_PROMPT_TOKENS and sources:
            break
        sources.append(source)
        cited.append(place)
    if not any(not one.suspicious for one in cited):
        return None
    question = Question(
        version=_VERSION,
        instructions=_INSTRUCTIONS,
        about=_about(material),
        sources=tuple(sources),
        form=_form(len(sources)),
        answer_tokens=answer_tokens,
    )
    return ReportQuestion(question=question, cited=tuple(cited))


def verified_report(text: str, asked: ReportQuestion, *, title: str, tokens: int) -> Verified[ReportText]:
    """Return the sentences of an answer that stand on what they cite, at most so many tokens.

    A sentence is dropped if it cites a source that there is not, or suspicious ones alone; if a figure or an address in
    it is in none of its sources; if it shares no word with them. ``title`` is for an answer whose own is not founded.
    """
    try:
        answer: object = json.loads(text)
    except (ValueError, RecursionError):
        return Verified(value=None, problem="it is not JSON")
    rows = answer.get("sentences") if is_object(answer) else None
    if not is_object(answer) or not is_array(rows):
        return Verified(value=None, problem='it is no object with "title" and "sentences"')
    problems, sentences = list[str](), list[Sentence]()
    given = answer.get("title")
    shown = plain(_printable(given))[:_TITLE_CHARS] if isinstance(given, str) else ""
    everything = " ".join(one.text for one in asked.cited if not one.suspicious)
    shown = shown if shown and not _unfounded(shown, everything) else title
    left = tokens - tokens_of(shown)
    for number, row in enumerate(rows[:_MOST_SENTENCES], start=1):
        sentence = _sentence(row, asked.cited)
        if isinstance(sentence, str):
            problems.append(f"sentence {number} {sentence}")
        elif (cost := tokens_of(sentence.text)) <= left:
            left -= cost
            sentences.append(sentence)
    if not sentences:
        return Verified(value=None, problem="; ".join(problems[:5]) or "it has no sentence")
    return Verified(value=ReportText(title=shown, sentences=tuple(sentences)), problem="; ".join(problems[:5]))


def _sentence(row: object, cited: Sequence[Cited]) -> Sentence | str:
    """Return the sentence, or in a clause why it does not stand."""
    text, numbers = (row.get("text"), row.get("citations")) if is_object(row) else (None, None)
    if not isinstance(text, str) or not is_array(numbers):
        return 'is no object with "text" and "citations"'
    said = plain(_printable(text))
    if not said or len(said) > _SENTENCE_CHARS:
        return "is empty or too long"
    chosen = [one for one in numbers if isinstance(one, int) and not isinstance(one, bool) and 1 <= one <= len(cited)]
    if len(chosen) < len(numbers) or not chosen:
        return "cites a source that there is not"
    sources = [cited[number - 1] for number in dict.fromkeys(chosen)]
    sound = [one for one in sources if not one.suspicious]
    if not sound:
        return "stands on suspicious sources alone"
    problem = _unfounded(said, " ".join(one.text for one in sound))
    if problem:
        return problem
    citations = dict.fromkeys(citation for one in sound for citation in one.citations)
    return Sentence(text=said, citations=tuple(citations)[:_MOST_CITED])


def _unfounded(said: str, source: str) -> str:
    told = plain(source)
    if any(address.rstrip(".,;") not in told for address in _ADDRESS.findall(said)):
        return "has an address that its sources do not have"
    if not set(_FIGURE.findall(said)) <= set(_FIGURE.findall(told)):
        return "has a figure that its sources do not have"
    if set(_WORD.findall(said.casefold())).isdisjoint(_WORD.findall(told.casefold())):
        return "shares no word with its sources"
    return ""


def _pieces(material: Material) -> Iterator[tuple[Source, Cited]]:
    """Give out what is asked about, the weightiest first: passages, or the sentences of the reports below in turns."""
    weights = {one.id: one.weight for one in material.members}
    for passage in sorted(material.passages, key=lambda one: (-weights.get(f"unit:{one.unit}", 0.0), _place(one))):
        citation = Citation(document=passage.document, unit=passage.unit, span=passage.span)
        label = " > ".join((passage.document, *passage.heading))
        yield (
            Source(text=passage.text, label=label, suspicious=passage.suspicious),
            Cited(text=passage.text, citations=(citation,), suspicious=passage.suspicious),
        )
    children = sorted(material.children, key=lambda one: one.digest)
    for turn in range(max((len(child.sentences) for child in children), default=0)):
        for child in children:
            if turn < len(child.sentences):
                sentence = child.sentences[turn]
                yield (
                    Source(text=sentence.text, label=child.title),
                    Cited(text=sentence.text, citations=sentence.citations),
                )


def _about(material: Material) -> str:
    names = {one.id: plain(one.name) for one in material.members}
    relations = sorted(material.relations, key=lambda one: (-one.weight, one.source, one.type, one.target))
    between = [one for one in relations if one.source in names and one.target in names and one.type != "contains"]
    said = [
        f"{names[one.source]} {one.type} {names[one.target]}"
        for one in between
        if not one.source.startswith("unit:") and not one.target.startswith("unit:")
    ]
    entities = ", ".join(plain(one.name) for one in central_members(material)) or title_of(material)
    return "\n".join(["Entities: " + entities[:1000], *(["Relations: " + "; ".join(said[:12])[:1000]] if said else [])])


def _form(sources: int) -> AnswerForm:
    number: dict[str, JsonValue] = {"type": "integer", "minimum": 1, "maximum": sources}
    sentence: dict[str, JsonValue] = {
        "type": "object",
        "properties": {"text": {"type": "string"}, "citations": {"type": "array", "items": number}},
        "required": ["text", "citations"],
        "additionalProperties": False,
    }
    return AnswerForm(
        name="report",
        schema={
            "type": "object",
            "properties": {"title": {"type": "string"}, "sentences": {"type": "array", "items": sentence}},
            "required": ["title", "sentences"],
            "additionalProperties": False,
        },
    )


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _place(passage: Passage) -> tuple[object, ...]:
    return passage.document, passage.span, passage.unit
