"""What the encoding of a policy leaves behind beside its formula: the terms that axioms and models are about."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import z3

from aeterna.cedar.domain.request import Uid
from aeterna.policies.adapters.smt.values import Entity, SetTerm, Text, Value
from aeterna.policies.domain.typed.types import Type


@dataclass(frozen=True, slots=True)
class AttributeRead:
    """An entity's attribute that was looked at."""

    entity: Entity
    name: str
    present: z3.BoolRef
    value: Value


@dataclass(frozen=True, slots=True)
class TagRead:
    """An entity's tag that was looked at, by a key that may be any string."""

    entity: Entity
    key: Text
    present: z3.BoolRef
    value: Value


@dataclass(frozen=True, slots=True)
class PatternUse:
    """A string that was matched with a pattern; the atom says that it matches."""

    pattern: tuple[str | None, ...]
    text: Text
    atom: z3.BoolRef


@dataclass(frozen=True, slots=True)
class SetLiteral:
    """A set written out: its term has exactly these elements."""

    set: SetTerm
    elements: tuple[Value, ...]


class SetRelation(StrEnum):
    """What an atom says of one or two sets."""

    EMPTY = "empty"
    SUBSET = "subset"
    MEET = "meet"
    EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class SetAtom:
    """An atom about sets; the witness is an element that shows it, or shows that it does not hold."""

    relation: SetRelation
    atom: z3.BoolRef
    left: SetTerm
    right: SetTerm
    witness: Value


@dataclass(frozen=True, slots=True)
class AboveAtom:
    """An atom that says that a set holds an entity that this one is in; the witness is such an entity."""

    atom: z3.BoolRef
    entity: Entity
    set: SetTerm
    witness: Entity


@dataclass(slots=True)
class Footprint:
    """All that one encoding has used; keys are what makes two entries the same."""

    facts: dict[int, z3.BoolRef] = field(default_factory=dict[int, "z3.BoolRef"])
    strings: dict[str, Text] = field(default_factory=dict[str, "Text"])
    entities: dict[Uid, Entity] = field(default_factory=dict["Uid", "Entity"])
    reads: dict[tuple[int, str], AttributeRead] = field(default_factory=dict[tuple[int, str], AttributeRead])
    context: dict[str, tuple[z3.BoolRef, Value]] = field(default_factory=dict[str, "tuple[z3.BoolRef, Value]"])
    """The attributes of the context that were looked at: whether they are present, and their values."""
    tags: dict[tuple[int, int], TagRead] = field(default_factory=dict[tuple[int, int], TagRead])
    patterns: dict[tuple[int, tuple[str | None, ...]], PatternUse] = field(
        default_factory=dict[tuple[int, "tuple[str | None, ...]"], PatternUse]
    )
    below: dict[int, Entity] = field(default_factory=dict[int, "Entity"])
    """Entities of which it was asked what they are in."""
    above: dict[int, Entity] = field(default_factory=dict[int, "Entity"])
    """Entities of which it was asked what is in them."""
    elements: dict[Type, dict[tuple[int, ...], Value]] = field(
        default_factory=dict["Type", "dict[tuple[int, ...], Value]"]
    )
    set_literals: dict[int, SetLiteral] = field(default_factory=dict[int, SetLiteral])
    set_atoms: dict[int, SetAtom] = field(default_factory=dict[int, SetAtom])
    above_atoms: dict[int, AboveAtom] = field(default_factory=dict[int, AboveAtom])

    def add(self, other: Footprint) -> None:
        """Take in all that another encoding has used."""
        self.facts.update(other.facts)
        self.strings.update(other.strings)
        self.entities.update(other.entities)
        self.reads.update(other.reads)
        self.context.update(other.context)
        self.tags.update(other.tags)
        self.patterns.update(other.patterns)
        self.below.update(other.below)
        self.above.update(other.above)
        for type_, elements in other.elements.items():
            self.elements.setdefault(type_, {}).update(elements)
        self.set_literals.update(other.set_literals)
        self.set_atoms.update(other.set_atoms)
        self.above_atoms.update(other.above_atoms)
