"""Longs, decimals, datetimes and durations: 64 bits each, and overflow is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import z3

from aeterna.policies.adapters.smt.literals import MILLISECONDS, datetime_of, decimal_of, duration_of
from aeterna.policies.adapters.smt.outcome import ERROR, Outcome, truth
from aeterna.policies.adapters.smt.values import GREATEST, LEAST, Number, Text, all_of, known
from aeterna.policies.domain.typed.types import Scalar
from aeterna.policies.errors import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aeterna.policies.adapters.smt.footprint import Footprint
    from aeterna.policies.adapters.smt.symbols import Symbols
    from aeterna.policies.adapters.smt.values import Value

    Compare = Callable[[z3.ArithRef, z3.ArithRef], z3.BoolRef]
    Change = Callable[[z3.ArithRef], z3.ArithRef]
    Calculate = Callable[[z3.ArithRef, z3.ArithRef], z3.ArithRef]
    Operator = Callable[[Sequence[Value], Symbols, Footprint], Outcome]

_ORDERED: Final = frozenset({Scalar.LONG, Scalar.DATETIME, Scalar.DURATION})
_DAY: Final = MILLISECONDS["d"]


def _comparing(compare: Compare, types: frozenset[Scalar]) -> Operator:
    def operator(values: Sequence[Value], _symbols: Symbols, _footprint: Footprint) -> Outcome:
        left, right = values
        if not isinstance(left, Number) or not isinstance(right, Number):
            return ERROR
        if left.type is not right.type or left.type not in types:
            return ERROR
        return truth(_folded(z3.simplify(compare(left.term, right.term))))

    return operator


def _changing(change: Change, taken: Scalar, given: Scalar) -> Operator:
    """Return the operator that makes another number of one, and is an error where that overflows."""

    def operator(values: Sequence[Value], _symbols: Symbols, _footprint: Footprint) -> Outcome:
        (value,) = values
        if not isinstance(value, Number) or value.type is not taken:
            return ERROR
        return _bounded(z3.simplify(change(value.term)), given)

    return operator


def _calculating(calculate: Calculate, taken: tuple[Scalar, Scalar], given: Scalar) -> Operator:
    """Return the operator that calculates with two numbers, and is an error where the result overflows."""

    def operator(values: Sequence[Value], _symbols: Symbols, _footprint: Footprint) -> Outcome:
        left, right = values
        if not isinstance(left, Number) or not isinstance(right, Number) or (left.type, right.type) != taken:
            return ERROR
        return _bounded(z3.simplify(calculate(left.term, right.term)), given)

    return operator


def _constructing(parse: Callable[[str], int | None], given: Scalar) -> Operator:
    def operator(values: Sequence[Value], symbols: Symbols, _footprint: Footprint) -> Outcome:
        (value,) = values
        if not isinstance(value, Text):
            return ERROR
        text = symbols.text_of(value.term)
        if text is None:
            raise UndecidedError(f"{given} is made of a string that is not written out")
        number = parse(text)
        return ERROR if number is None else Outcome(Number(given, z3.IntVal(number)))

    return operator


def _bounded(number: z3.ArithRef, type_: Scalar) -> Outcome:
    value = Number(type_, number)
    if isinstance(number, z3.IntNumRef):
        return Outcome(value, known(LEAST <= number.as_long() <= GREATEST))
    if number.decl().kind() == z3.Z3_OP_UNINTERPRETED:
        # What comes from the request is within bounds already.
        return Outcome(value)
    return Outcome(value, all_of(number >= LEAST, number <= GREATEST))


def _folded(formula: z3.BoolRef) -> z3.BoolRef:
    return known(True) if z3.is_true(formula) else known(False) if z3.is_false(formula) else formula


def _truncated(number: z3.ArithRef, unit: int) -> z3.ArithRef:
    """Return the quotient rounded towards zero, as Rust does; z3 rounds towards minus infinity."""
    return z3.If(number >= 0, number / unit, -((-number) / unit))


def _in_unit(unit: str) -> Operator:
    return _changing(lambda number: _truncated(number, MILLISECONDS[unit]), Scalar.DURATION, Scalar.LONG)


_LONG: Final = Scalar.LONG
NUMBER_OPERATORS: Final[Mapping[str, Operator]] = {
    "<": _comparing(lambda left, right: left < right, _ORDERED),
    "<=": _comparing(lambda left, right: left <= right, _ORDERED),
    ">": _comparing(lambda left, right: left > right, _ORDERED),
    ">=": _comparing(lambda left, right: left >= right, _ORDERED),
    "lessThan": _comparing(lambda left, right: left < right, frozenset({Scalar.DECIMAL})),
    "lessThanOrEqual": _comparing(lambda left, right: left <= right, frozenset({Scalar.DECIMAL})),
    "greaterThan": _comparing(lambda left, right: left > right, frozenset({Scalar.DECIMAL})),
    "greaterThanOrEqual": _comparing(lambda left, right: left >= right, frozenset({Scalar.DECIMAL})),
    "+": _calculating(lambda left, right: left + right, (_LONG, _LONG), _LONG),
    "-": _calculating(lambda left, right: left - right, (_LONG, _LONG), _LONG),
    "*": _calculating(lambda left, right: left * right, (_LONG, _LONG), _LONG),
    "neg": _changing(lambda number: -number, _LONG, _LONG),
    "decimal": _constructing(decimal_of, Scalar.DECIMAL),
    "datetime": _constructing(datetime_of, Scalar.DATETIME),
    "duration": _constructing(duration_of, Scalar.DURATION),
    "offset": _calculating(lambda at, by: at + by, (Scalar.DATETIME, Scalar.DURATION), Scalar.DATETIME),
    "durationSince": _calculating(lambda at, since: at - since, (Scalar.DATETIME, Scalar.DATETIME), Scalar.DURATION),
    "toDate": _changing(lambda at: at - at % _DAY, Scalar.DATETIME, Scalar.DATETIME),
    "toTime": _changing(lambda at: at % _DAY, Scalar.DATETIME, Scalar.DURATION),
    "toMilliseconds": _changing(lambda number: number, Scalar.DURATION, _LONG),
    "toSeconds": _in_unit("s"),
    "toMinutes": _in_unit("m"),
    "toHours": _in_unit("h"),
    "toDays": _in_unit("d"),
}
