"""Longs, decimals, datetimes and durations: 64 bits each, and overflow is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import z3

from aeterna.policies.adapters.smt.literals import MILLISECONDS, datetime_of, decimal_of, duration_of
from aeterna.policies.adapters.smt.outcome import ERROR, Outcome
from aeterna.policies.adapters.smt.values import (
    GREATEST,
    LEAST,
    TRUE,
    Plain,
    all_of,
    known,
)
from aeterna.policies.domain.typed.types import Scalar
from aeterna.policies.errors import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aeterna.policies.adapters.smt.footprint import Footprint
    from aeterna.policies.adapters.smt.symbols import Symbols
    from aeterna.policies.adapters.smt.values import Value

    Operator = Callable[[Sequence[Value], Symbols, Footprint], Outcome]

_ORDERED: Final = frozenset({Scalar.LONG, Scalar.DATETIME, Scalar.DURATION})
_DAY: Final = MILLISECONDS["d"]


def _comparing(compare: Callable[[z3.ArithRef, z3.ArithRef], object], types: frozenset[Scalar]) -> Operator:
    def operator(values: Sequence[Value], _symbols: Symbols, _footprint: Footprint) -> Outcome:
        left, right = values
        if left.type != right.type or left.type not in types:
            return ERROR
        compared = z3.simplify(cast("z3.BoolRef", compare(_number(left), _number(right))))
        return Outcome(Plain(Scalar.BOOL, _folded(cast("z3.BoolRef", compared))))

    return operator


def _calculating(calculate: Callable[..., object], taken: tuple[Scalar, ...], given: Scalar) -> Operator:
    """Return the operator that calculates from values of these types, and is an error where the result overflows."""

    def operator(values: Sequence[Value], _symbols: Symbols, _footprint: Footprint) -> Outcome:
        if tuple(value.type for value in values) != taken:
            return ERROR
        result = cast("z3.ArithRef", z3.simplify(cast("z3.ArithRef", calculate(*map(_number, values)))))
        return Outcome(Plain(given, result), _in_range(result))

    return operator


def _constructing(parse: Callable[[str], int | None], given: Scalar) -> Operator:
    def operator(values: Sequence[Value], symbols: Symbols, _footprint: Footprint) -> Outcome:
        value = values[0]
        if value.type is not Scalar.STRING:
            return ERROR
        text = symbols.text_of(cast("Plain", value).term)
        if text is None:
            raise UndecidedError(f"{given} is made of a string that is not written out")
        number = parse(text)
        return ERROR if number is None else Outcome(Plain(given, z3.IntVal(number)))

    return operator


def _number(value: Value) -> z3.ArithRef:
    return cast("z3.ArithRef", cast("Plain", value).term)


def _in_range(number: z3.ArithRef) -> z3.BoolRef:
    if isinstance(number, z3.IntNumRef):
        return known(LEAST <= number.as_long() <= GREATEST)
    if number.num_args() == 0 or not z3.is_arith(number) or number.decl().kind() == z3.Z3_OP_UNINTERPRETED:
        return TRUE
    return all_of(number >= LEAST, number <= GREATEST)


def _folded(formula: z3.BoolRef) -> z3.BoolRef:
    return known(True) if z3.is_true(formula) else known(False) if z3.is_false(formula) else formula


def _truncated(number: z3.ArithRef, unit: int) -> object:
    """Return the quotient rounded towards zero, as Rust does; z3 rounds towards minus infinity."""
    return z3.If(number >= 0, number / unit, -((-number) / unit))


def _in_unit(unit: str) -> Operator:
    return _calculating(lambda number: _truncated(number, MILLISECONDS[unit]), (Scalar.DURATION,), Scalar.LONG)


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
    "neg": _calculating(lambda number: -number, (_LONG,), _LONG),
    "decimal": _constructing(decimal_of, Scalar.DECIMAL),
    "datetime": _constructing(datetime_of, Scalar.DATETIME),
    "duration": _constructing(duration_of, Scalar.DURATION),
    "offset": _calculating(lambda at, by: at + by, (Scalar.DATETIME, Scalar.DURATION), Scalar.DATETIME),
    "durationSince": _calculating(lambda at, since: at - since, (Scalar.DATETIME, Scalar.DATETIME), Scalar.DURATION),
    "toDate": _calculating(lambda at: at - at % _DAY, (Scalar.DATETIME,), Scalar.DATETIME),
    "toTime": _calculating(lambda at: at % _DAY, (Scalar.DATETIME,), Scalar.DURATION),
    "toMilliseconds": _calculating(lambda number: number, (Scalar.DURATION,), _LONG),
    "toSeconds": _in_unit("s"),
    "toMinutes": _in_unit("m"),
    "toHours": _in_unit("h"),
    "toDays": _in_unit("d"),
}
