"""Which entities are in which: a relation that the policies see only between the entities they name.

It must be a strict partial order. The axioms say so for the entities that were asked about, and that suffices: what no
policy asked about can be left out of the relation (as in SymCC, whose footprints are the same).
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, TypeGuard, cast

import z3

from aeterna.policies.adapters.smt.outcome import ERROR, Outcome
from aeterna.policies.adapters.smt.sets import holds_above
from aeterna.policies.adapters.smt.values import (
    FALSE,
    Plain,
    all_of,
    any_of,
    implied,
    known,
    name_of,
    negated,
)
from aeterna.policies.domain.typed.types import EntityOf, Scalar, SetOfType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aeterna.policies.adapters.smt.footprint import Footprint
    from aeterna.policies.adapters.smt.symbols import Symbols
    from aeterna.policies.adapters.smt.values import Value
    from aeterna.policies.domain.typed.types import Schema


def is_entity(value: Value | None) -> TypeGuard[Plain]:
    """Return whether the value is an entity."""
    return isinstance(value, Plain) and isinstance(value.type, EntityOf)


def within(values: Sequence[Value], symbols: Symbols, footprint: Footprint) -> Outcome:
    """Encode ``entity in entity`` and ``entity in set``."""
    entity, above = values
    if not is_entity(entity):
        return ERROR
    if is_entity(above):
        return Outcome(Plain(Scalar.BOOL, inside(entity, above, symbols, footprint)))
    if isinstance(above, Plain) and isinstance(above.type, SetOfType) and isinstance(above.type.element, EntityOf):
        return Outcome(Plain(Scalar.BOOL, holds_above(entity, above, inside, symbols, footprint)))
    return ERROR


def inside(entity: Plain, above: Plain, symbols: Symbols, footprint: Footprint) -> z3.BoolRef:
    """Return whether the first is the second, or in it."""
    below_type, above_type = _name(entity), _name(above)
    if _is_action(entity, symbols) or _is_action(above, symbols):
        return _inside_actions(entity, above, symbols, footprint)
    if entity.term.get_id() == above.term.get_id():
        return known(True)
    ids = symbols.uid_of(entity.term), symbols.uid_of(above.term)
    same = FALSE if below_type != above_type or None not in ids else cast("z3.BoolRef", entity.term == above.term)
    if above_type not in symbols.schema.types_above(below_type):
        return same
    footprint.below[entity.term.get_id()] = entity
    footprint.above[above.term.get_id()] = above
    return any_of(same, _is_below(entity, above))


def _is_below(entity: Plain, above: Plain) -> z3.BoolRef:
    name = f"{name_of(entity.type)} in {name_of(above.type)}"
    relation = z3.Function(name, entity.term.sort(), above.term.sort(), z3.BoolSort())
    return cast("z3.BoolRef", relation(entity.term, above.term))


def is_below(entity: Plain, above: Plain, schema: Schema) -> z3.BoolRef:
    """Return whether the first is in the second and not the second itself; never so if the schema has no such parent."""
    return _is_below(entity, above) if _name(above) in schema.types_above(_name(entity)) else FALSE


def order_axioms(footprint: Footprint, schema: Schema) -> Iterator[z3.BoolRef]:
    """Yield that nothing is in itself, and that what is in an entity is in everything that entity is in.

    An entity that nothing was asked about from below needs no parents, so it can be left out in the middle, unless it
    may be the same as one of those.
    """
    below, above = list(footprint.below.values()), list(footprint.above.values())
    asked = {_name(entity) for entity in below}
    for entity in below:
        if _name(entity) in schema.types_above(_name(entity)):
            yield negated(_is_below(entity, entity))
    for first, middle in product(below, above):
        step = is_below(first, middle, schema) if _name(middle) in asked else FALSE
        if step is FALSE:
            continue
        for last in above:
            if last is middle:
                continue
            further = is_below(middle, last, schema)
            if further is not FALSE:
                yield implied(all_of(step, further), is_below(first, last, schema))


def _is_action(entity: Plain, symbols: Symbols) -> bool:
    return any(action.type == _name(entity) for action in symbols.schema.actions)


def _inside_actions(entity: Plain, above: Plain, symbols: Symbols, footprint: Footprint) -> z3.BoolRef:
    """Actions and their groups are those of the schema, so the relation is written out."""
    schema = symbols.schema
    found: list[z3.BoolRef] = []
    for action in schema.actions:
        if action.type != _name(entity) or not _may_be(entity, action, symbols):
            continue
        for group in {action, *schema.groups_above(action)}:
            if group.type == _name(above) and _may_be(above, group, symbols):
                lower, upper = symbols.entity(action, footprint), symbols.entity(group, footprint)
                found.append(all_of(_same(entity, lower), _same(above, upper)))
    return any_of(*found)


def _may_be(entity: Plain, action: object, symbols: Symbols) -> bool:
    return symbols.uid_of(entity.term) in {None, action}


def _same(entity: Plain, literal: Plain) -> z3.BoolRef:
    return (
        known(True)
        if entity.term.get_id() == literal.term.get_id()
        else cast("z3.BoolRef", entity.term == literal.term)
    )


def _name(entity: Plain) -> str:
    return cast("EntityOf", entity.type).name
