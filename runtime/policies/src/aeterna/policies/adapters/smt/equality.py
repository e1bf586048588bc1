"""When two values are equal, and the value that one of two is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import z3

from aeterna.policies.adapters.smt.sets import same_set
from aeterna.policies.adapters.smt.values import (
    FALSE,
    TRUE,
    Address,
    Entity,
    Number,
    Record,
    SetTerm,
    Text,
    Truth,
    Value,
    all_of,
    any_of,
    implied,
    negated,
)
from aeterna.policies.domain.typed.types import Attribute, RecordType
from aeterna.policies.errors import UndecidedError

if TYPE_CHECKING:
    from aeterna.policies.adapters.smt.footprint import Footprint
    from aeterna.policies.adapters.smt.symbols import Symbols


def equal(  # noqa: PLR0911 - one for each kind of value
    left: Value, right: Value, symbols: Symbols, footprint: Footprint
) -> z3.BoolRef:
    """Return whether they are equal; values of different types are not, and that is no error."""
    if isinstance(left, Record) and isinstance(right, Record):
        return _equal_records(left, right, symbols, footprint)
    if isinstance(left, Address) and isinstance(right, Address):
        return all_of(left.six == right.six, left.bits == right.bits, left.prefix == right.prefix)
    if isinstance(left, SetTerm) and isinstance(right, SetTerm):
        return same_set(left, right, symbols, footprint)
    if isinstance(left, Truth) and isinstance(right, Truth):
        return _same_truth(left.term, right.term)
    if left.type != right.type or isinstance(left, Record | Address) or isinstance(right, Record | Address):
        return FALSE
    if left.term.get_id() == right.term.get_id():
        return TRUE
    # Two literals with different terms are different values.
    return FALSE if _is_literal(left, symbols) and _is_literal(right, symbols) else left.term == right.term


def merged(chosen: z3.BoolRef, yes: Value, no: Value) -> Value:  # noqa: PLR0911 - one for each kind of value
    """Return the first if chosen, else the second; raise `UndecidedError` if their types differ."""
    if isinstance(yes, Record) and isinstance(no, Record):
        return _merged_records(chosen, yes, no)
    if isinstance(yes, Address) and isinstance(no, Address):
        return Address(
            z3.If(chosen, yes.six, no.six), z3.If(chosen, yes.bits, no.bits), z3.If(chosen, yes.prefix, no.prefix)
        )
    if isinstance(yes, Truth) and isinstance(no, Truth):
        return Truth(any_of(all_of(chosen, yes.term), all_of(negated(chosen), no.term)))
    if isinstance(yes, Number) and isinstance(no, Number) and yes.type == no.type:
        return Number(yes.type, z3.If(chosen, yes.term, no.term))
    if isinstance(yes, Text) and isinstance(no, Text):
        return Text(z3.If(chosen, yes.term, no.term))
    if isinstance(yes, Entity) and isinstance(no, Entity) and yes.type == no.type:
        return Entity(yes.type, z3.If(chosen, yes.term, no.term))
    if isinstance(yes, SetTerm) and isinstance(no, SetTerm) and yes.type == no.type:
        return SetTerm(yes.type, z3.If(chosen, yes.term, no.term))
    raise UndecidedError("the two sides of an if have different types")


def _same_truth(left: z3.BoolRef, right: z3.BoolRef) -> z3.BoolRef:
    for one, other in ((left, right), (right, left)):
        if one is TRUE:
            return other
        if one is FALSE:
            return negated(other)
    return left == right


def _equal_records(left: Record, right: Record, symbols: Symbols, footprint: Footprint) -> z3.BoolRef:
    parts: list[z3.BoolRef] = []
    for name in sorted({*left.fields, *right.fields}):
        one, other = left.fields.get(name), right.fields.get(name)
        if one is not None and other is not None:
            parts.append(_same_truth(one[0], other[0]))
            parts.append(implied(all_of(one[0], other[0]), equal(one[1], other[1], symbols, footprint)))
        else:
            parts.extend(negated(alone[0]) for alone in (one, other) if alone is not None)
    return all_of(*parts)


def _merged_records(chosen: z3.BoolRef, yes: Record, no: Record) -> Record:
    fields: dict[str, tuple[z3.BoolRef, Value]] = {}
    for name in {*yes.fields, *no.fields}:
        first, second = yes.fields.get(name), no.fields.get(name)
        here = first[0] if first is not None else FALSE
        there = second[0] if second is not None else FALSE
        present = here if here is there else any_of(all_of(chosen, here), all_of(negated(chosen), there))
        if first is not None and second is not None:
            fields[name] = (present, merged(chosen, first[1], second[1]))
        else:
            fields.update((name, (present, alone[1])) for alone in (first, second) if alone is not None)
    type_ = RecordType.of(
        {name: Attribute(value.type, required=present is TRUE) for name, (present, value) in fields.items()}
    )
    return Record(type_, fields)


def _is_literal(value: Truth | Number | Text | Entity | SetTerm, symbols: Symbols) -> bool:
    if isinstance(value, Number):
        return z3.is_int_value(value.term)
    return symbols.uid_of(value.term) is not None or symbols.text_of(value.term) is not None
