"""When two values are equal, and the value that one of two is."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import z3

from aeterna.policies.adapters.smt.sets import same_set
from aeterna.policies.adapters.smt.values import (
    FALSE,
    INTEGERS,
    TRUE,
    Address,
    Plain,
    Record,
    Value,
    all_of,
    any_of,
    implied,
    negated,
)
from aeterna.policies.domain.typed.types import Attribute, RecordType, Scalar, SetOfType
from aeterna.policies.errors import UndecidedError

if TYPE_CHECKING:
    from aeterna.policies.adapters.smt.footprint import Footprint
    from aeterna.policies.adapters.smt.symbols import Symbols


def equal(left: Value, right: Value, symbols: Symbols, footprint: Footprint) -> z3.BoolRef:
    """Return whether they are equal; values of different types are not, and that is no error."""
    if isinstance(left, Record) and isinstance(right, Record):
        return _equal_records(left, right, symbols, footprint)
    if isinstance(left, Address) and isinstance(right, Address):
        return all_of(left.six == right.six, left.bits == right.bits, left.prefix == right.prefix)
    if not isinstance(left, Plain) or not isinstance(right, Plain):
        return FALSE
    if isinstance(left.type, SetOfType) and isinstance(right.type, SetOfType):
        return same_set(left, right, symbols, footprint)
    if left.type != right.type:
        return FALSE
    if left.term.get_id() == right.term.get_id():
        return TRUE
    if _is_literal(left, symbols) and _is_literal(right, symbols):
        # Two literals with different terms are different values.
        return FALSE
    if left.type is Scalar.BOOL:
        return _equal_booleans(cast("z3.BoolRef", left.term), cast("z3.BoolRef", right.term))
    return left.term == right.term


def merged(chosen: z3.BoolRef, yes: Value, no: Value) -> Value:
    """Return the first if chosen, else the second; raise `UndecidedError` if their types differ."""
    if isinstance(yes, Record) and isinstance(no, Record):
        return _merged_records(chosen, yes, no)
    if isinstance(yes, Address) and isinstance(no, Address):
        return Address(
            cast("z3.BoolRef", z3.If(chosen, yes.six, no.six)),
            cast("z3.BitVecRef", z3.If(chosen, yes.bits, no.bits)),
            cast("z3.BitVecRef", z3.If(chosen, yes.prefix, no.prefix)),
        )
    if isinstance(yes, Plain) and isinstance(no, Plain) and yes.type == no.type:
        if yes.type is Scalar.BOOL:
            either = any_of(
                all_of(chosen, cast("z3.BoolRef", yes.term)), all_of(negated(chosen), cast("z3.BoolRef", no.term))
            )
            return Plain(Scalar.BOOL, either)
        return Plain(yes.type, z3.If(chosen, yes.term, no.term))
    raise UndecidedError("the two sides of an if have different types")


def _equal_booleans(left: z3.BoolRef, right: z3.BoolRef) -> z3.BoolRef:
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
        if one is None or other is None:
            parts.append(negated((one or cast("tuple[z3.BoolRef, Value]", other))[0]))
            continue
        parts.append(_equal_booleans(one[0], other[0]))
        parts.append(implied(all_of(one[0], other[0]), equal(one[1], other[1], symbols, footprint)))
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
            fields[name] = (present, (first or cast("tuple[z3.BoolRef, Value]", second))[1])
    type_ = RecordType.of(
        {name: Attribute(value.type, required=present is TRUE) for name, (present, value) in fields.items()}
    )
    return Record(type_, fields)


def _is_literal(value: Plain, symbols: Symbols) -> bool:
    if value.type in INTEGERS:
        return z3.is_int_value(value.term)
    return symbols.uid_of(value.term) is not None or symbols.text_of(value.term) is not None
