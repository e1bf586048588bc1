"""Which entities are in which: a relation that the policies see only between the entities they name.

It must be a strict partial order. The axioms say so for the entities that were asked about, and that suffices: what no
policy asked about can be left out of the relation (as in SymCC, whose footprints are the same).
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import z3

from aeterna.policies.adapters.smt.footprint import AboveAtom
from aeterna.policies.adapters.smt.outcome import ERROR, Outcome, truth
from aeterna.policies.adapters.smt.sets import has, note
from aeterna.policies.adapters.smt.values import (
    FALSE,
    Entity,
    SetTerm,
    all_of,
    any_of,
    applied,
    implied,
    known,
    name_of,
    negated,
)
from aeterna.policies.domain.typed.types import EntityOf

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aeterna.policies.adapters.smt.footprint import Footprint
    from aeterna.policies.adapters.smt.symbols import Symbols
    from aeterna.policies.adapters.smt.values import Value
    from aeterna.policies.domain.typed.types import Schema


def within(values: Sequence[Value], symbols: Symbols, footprint: Footprint) -> Outcome:
    """Encode ``entity in entity`` and ``entity in set``."""
    entity, above = values
    if not isinstance(entity, Entity):
        return ERROR
    if isinstance(above, Entity):
        return truth(inside(entity, above, symbols, footprint))
    if isinstance(above, SetTerm) and isinstance(above.type.element, EntityOf):
        return truth(_in_any(entity, above, above.type.element, symbols, footprint))
    return ERROR


def inside(entity: Entity, above: Entity, symbols: Symbols, footprint: Footprint) -> z3.BoolRef:
    """Return whether the first is the second, or in it."""
    below_type, above_type = entity.type.name, above.type.name
    if _is_action(entity, symbols) or _is_action(above, symbols):
        return _inside_actions(entity, above, symbols, footprint)
    if entity.term.get_id() == above.term.get_id():
        return known(True)
    ids = symbols.uid_of(entity.term), symbols.uid_of(above.term)
    same = FALSE if below_type != above_type or None not in ids else entity.term == above.term
    if above_type not in symbols.schema.types_above(below_type):
        return same
    footprint.below[entity.term.get_id()] = entity
    footprint.above[above.term.get_id()] = above
    return any_of(same, _is_below(entity, above))


def _in_any(entity: Entity, set_: SetTerm, element: EntityOf, symbols: Symbols, footprint: Footprint) -> z3.BoolRef:
    """Return whether the entity is in any entity of the set."""
    witness = symbols.fresh_entity(element, footprint)
    inside(entity, witness, symbols, footprint)
    atom = z3.FreshBool()
    footprint.above_atoms[atom.get_id()] = AboveAtom(atom, entity, set_, witness)
    note(witness, footprint)
    return atom


def above_axioms(footprint: Footprint, symbols: Symbols) -> Iterator[z3.BoolRef]:
    """Yield what it means to be in any entity of a set, for the entities that occur as elements."""
    for atom in tuple(footprint.above_atoms.values()):
        there = all_of(has(atom.set, atom.witness), inside(atom.entity, atom.witness, symbols, footprint))
        yield implied(atom.atom, there)
        for element in tuple(footprint.elements.get(atom.witness.type, {}).values()):
            if isinstance(element, Entity):
                above = inside(atom.entity, element, symbols, footprint)
                yield implied(all_of(has(atom.set, element), above), atom.atom)


def _is_below(entity: Entity, above: Entity) -> z3.BoolRef:
    name = f"{name_of(entity.type)} in {name_of(above.type)}"
    return applied(name, (entity.term, above.term), z3.BoolSort())


def is_below(entity: Entity, above: Entity, schema: Schema) -> z3.BoolRef:
    """Return whether the first is in the second and is not it; never so if the schema has no such parent."""
    return _is_below(entity, above) if above.type.name in schema.types_above(entity.type.name) else FALSE


def order_axioms(footprint: Footprint, schema: Schema) -> Iterator[z3.BoolRef]:
    """Yield that nothing is in itself, and that what is in an entity is in everything that entity is in.

    An entity that nothing was asked about from below needs no parents, so it can be left out in the middle, unless it
    may be the same as one of those.
    """
    below, above = list(footprint.below.values()), list(footprint.above.values())
    asked = {entity.type.name for entity in below}
    for entity in below:
        if entity.type.name in schema.types_above(entity.type.name):
            yield negated(_is_below(entity, entity))
    for first, middle in product(below, above):
        step = is_below(first, middle, schema) if middle.type.name in asked else FALSE
        if step is FALSE:
            continue
        for last in above:
            if last is middle:
                continue
            further = is_below(middle, last, schema)
            if further is not FALSE:
                yield implied(all_of(step, further), is_below(first, last, schema))


def _is_action(entity: Entity, symbols: Symbols) -> bool:
    return any(action.type == entity.type.name for action in symbols.schema.actions)


def _inside_actions(entity: Entity, above: Entity, symbols: Symbols, footprint: Footprint) -> z3.BoolRef:
    """Actions and their groups are those of the schema, so the relation is written out."""
    schema = symbols.schema
    found: list[z3.BoolRef] = []
    for action in schema.actions:
        if action.type != entity.type.name or not _may_be(entity, action, symbols):
            continue
        for group in {action, *schema.groups_above(action)}:
            if group.type == above.type.name and _may_be(above, group, symbols):
                lower, upper = symbols.entity(action, footprint), symbols.entity(group, footprint)
                found.append(all_of(_same(entity, lower), _same(above, upper)))
    return any_of(*found)


def _may_be(entity: Entity, action: object, symbols: Symbols) -> bool:
    return symbols.uid_of(entity.term) in {None, action}


def _same(entity: Entity, literal: Entity) -> z3.BoolRef:
    return known(True) if entity.term.get_id() == literal.term.get_id() else entity.term == literal.term
