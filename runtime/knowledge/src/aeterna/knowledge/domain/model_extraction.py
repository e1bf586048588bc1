"""What a model is asked to find in passages, and what of its answer stands: only what it can quote."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.contracts.json_value import is_array, is_object
from aeterna.knowledge.domain.documents import Span, Unit, UnitId
from aeterna.knowledge.domain.models import AnswerForm, Question, Source
from aeterna.knowledge.domain.phrases import normalised
from aeterna.knowledge.domain.tokens import tokens_of
from aeterna.knowledge.domain.verified import Verified

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aeterna.contracts.json_value import JsonValue

VERSION: Final = 1
_BATCH_TOKENS: Final = 3_000
_ANSWER_TOKENS: Final = 4_000
_MOST_ROWS: Final = 400
_NAME_CHARS: Final = 100
_INSTRUCTIONS: Final = """\
You find entities and relations in passages, for a graph that engineers will search. List the entities that the numbered
sources speak of, each with one of the allowed kinds, and the relations between those entities, each with one of the
allowed types. Give for each the number of the source and a short quote that it follows from, copied exactly, in which
the names occur. Leave out what you cannot quote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Which kinds of entities and types of relations are wanted; others are dropped."""

    kinds: tuple[str, ...] = ("component", "concept", "person", "organisation", "place", "event", "product", "file")
    types: tuple[str, ...] = (
        "uses",
        "depends_on",
        "part_of",
        "is_a",
        "causes",
        "produces",
        "replaces",
        "configures",
        "owned_by",
        "conflicts_with",
    )


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class FoundEntity:
    """An entity by its normalised name, and the quote that names it; the span is of the document's text."""

    unit: UnitId
    name: str
    kind: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class FoundRelation:
    """A relation between two entities by their normalised names, and the quote that it follows from."""

    unit: UnitId
    source: str
    type: str
    target: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found in passages, each thing once, in a fixed order."""

    entities: tuple[FoundEntity, ...] = ()
    relations: tuple[FoundRelation, ...] = ()


def extraction_batches(units: Sequence[Unit]) -> Iterator[tuple[Unit, ...]]:
    """Give out units in groups that are asked about together; those that speak to models are left out."""
    batch, tokens = list[Unit](), 0
    for unit in units:
        if unit.suspicious:
            continue
        cost = tokens_of(unit.text)
        if batch and tokens + cost > _BATCH_TOKENS:
            yield tuple(batch)
            batch, tokens = [], 0
        batch.append(unit)
        tokens += cost
    if batch:
        yield tuple(batch)


def extraction_question(units: Sequence[Unit], vocabulary: Vocabulary) -> Question:
    """Return what to ask about these passages."""
    return Question(
        version=VERSION,
        instructions=_INSTRUCTIONS,
        about="",
        sources=tuple(Source(text=unit.text, label=" > ".join(unit.heading)) for unit in units),
        form=_form(len(units), vocabulary),
        answer_tokens=_ANSWER_TOKENS,
    )


def verified_extraction(text: str, units: Sequence[Unit], vocabulary: Vocabulary) -> Verified[Found]:
    """Return what of an answer can be quoted.

    A thing is dropped if its quote does not occur in its source, if a name does not occur in the quote, or if its kind
    or type was not asked for; a relation also if it ties something that was not found.
    """
    try:
        answer: object = json.loads(text)
    except (ValueError, RecursionError):
        return Verified(value=None, problem="it is not JSON")
    rows = (answer.get("entities"), answer.get("relations")) if is_object(answer) else (None, None)
    if not is_array(rows[0]) or not is_array(rows[1]):
        return Verified(value=None, problem='it is no object with "entities" and "relations"')
    problems = list[str]()
    entities = set[FoundEntity]()
    for row in rows[0][:_MOST_ROWS]:
        entity = _entity(row, units, vocabulary)
        problems.append(entity) if isinstance(entity, str) else entities.add(entity)
    names = {entity.name for entity in entities}
    relations = set[FoundRelation]()
    for row in rows[1][:_MOST_ROWS]:
        relation = _relation(row, units, vocabulary, names)
        problems.append(relation) if isinstance(relation, str) else relations.add(relation)
    said = "; ".join(dict.fromkeys(problems[:5]))
    if rows[0] and not entities:
        return Verified(value=None, problem=said)
    return Verified(value=Found(entities=tuple(sorted(entities)), relations=tuple(sorted(relations))), problem=said)


def _entity(row: object, units: Sequence[Unit], vocabulary: Vocabulary) -> FoundEntity | str:
    quoted = _quoted(row, units)
    if isinstance(quoted, str) or not is_object(row):
        return str(quoted)
    unit, span = quoted
    name, kind = _name(row.get("name"), unit, span), row.get("kind")
    if not name:
        return "an entity's name does not occur in its quote"
    if not isinstance(kind, str) or kind not in vocabulary.kinds:
        return "an entity has a kind that is not allowed"
    return FoundEntity(unit=unit.id, name=name, kind=kind, span=span)


def _relation(row: object, units: Sequence[Unit], vocabulary: Vocabulary, names: set[str]) -> FoundRelation | str:
    quoted = _quoted(row, units)
    if isinstance(quoted, str) or not is_object(row):
        return str(quoted)
    unit, span = quoted
    source, target = _name(row.get("from"), unit, span), _name(row.get("to"), unit, span)
    type_ = row.get("type")
    if not isinstance(type_, str) or type_ not in vocabulary.types:
        return "a relation has a type that is not allowed"
    if source == target or not {source, target} <= names:
        return "a relation ties what is not among the entities, or does not occur in its quote"
    return FoundRelation(unit=unit.id, source=source, type=type_, target=target, span=span)


def _quoted(row: object, units: Sequence[Unit]) -> tuple[Unit, Span] | str:
    """Return the passage of a quote and its place in the document's text, or what is wrong with it."""
    number, quote = (row.get("source"), row.get("quote")) if is_object(row) else (None, None)
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= len(units):
        return "a source is cited that there is not"
    words = quote.split() if isinstance(quote, str) else []
    unit = units[number - 1]
    # White space is the model's to change: passages are wrapped, and quotes are not.
    found = re.search(r"\s+".join(map(re.escape, words)), unit.text) if words else None
    if found is None:
        return f"a quote does not occur in source {number}"
    return unit, Span(start=unit.span.start + found.start(), end=unit.span.start + found.end())


def _name(given: object, unit: Unit, span: Span) -> str:
    """Return the normalised name if the quote holds all of it, in order; else an empty one."""
    if not isinstance(given, str) or len(given) > _NAME_CHARS:
        return ""
    name = normalised(given)
    quote = normalised(unit.text[span.start - unit.span.start : span.end - unit.span.start])
    return name if name and f" {name} " in f" {quote} " else ""


def _form(sources: int, vocabulary: Vocabulary) -> AnswerForm:
    text: dict[str, JsonValue] = {"type": "string"}
    quoted: dict[str, JsonValue] = {
        "source": {"type": "integer", "minimum": 1, "maximum": sources},
        "quote": text,
    }
    entity = _row({"name": text, "kind": {"type": "string", "enum": list(vocabulary.kinds)}} | quoted)
    relation = _row({"from": text, "type": {"type": "string", "enum": list(vocabulary.types)}, "to": text} | quoted)
    lists: dict[str, JsonValue] = {
        "entities": {"type": "array", "items": entity},
        "relations": {"type": "array", "items": relation},
    }
    return AnswerForm(name="extraction", schema=_row(lists))


def _row(properties: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
