"""Conditions on the properties of a node or an edge: how they are written, checked, and decided.

A comparison needs the property to be there: what is missing matches nothing, not even ``!=``. Values compare with
values of their own type; numbers compare as 64-bit floats and texts by code point. Only ``=`` and ``!=`` take true,
false and null.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

from aeterna.graph.errors import InvalidQueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aeterna.graph.domain.identifiers import Json

Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "exists", "missing"]
Scalar: TypeAlias = str | float | bool | None  # every number is a float here
SCALAR: TypeAlias = str | int | float | bool | None

MAX_CONDITIONS: Final = 16
MAX_NAME_CHARS: Final = 256
MAX_VALUE_CHARS: Final = 1_024
_TEXT: Final = re.compile(r"(?P<not>!?)(?P<name>[^=!<>]+)(?:(?P<operator><=|>=|!=|=|<|>)(?P<value>.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition on one top-level property. Build it with `condition` or `condition_parsed`."""

    name: str
    operator: Operator
    value: Scalar = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is, as texts: for a digest."""
        return (self.name, self.operator, json.dumps(self.value))


def condition(name: str, operator: str, value: SCALAR = None, *, parameter: str = "where") -> Condition:
    """Check and make a condition; raise `InvalidQueryError` that names the parameter."""
    if not 1 <= len(name) <= MAX_NAME_CHARS:
        raise InvalidQueryError(parameter, f"a property's name has 1 to {MAX_NAME_CHARS} characters, not {len(name)}")
    _require_text(name, parameter)
    match operator:
        case "exists" | "missing":
            if value is not None:
                raise InvalidQueryError(parameter, f"{operator} takes no value")
            return Condition(name=name, operator=operator)
        case "=" | "!=":
            return Condition(name=name, operator=operator, value=_scalar(value, parameter))
        case "<" | "<=" | ">" | ">=":
            scalar = _scalar(value, parameter)
            if scalar is None or isinstance(scalar, bool):
                raise InvalidQueryError(parameter, f"{operator} compares numbers or texts, not {json.dumps(scalar)}")
            return Condition(name=name, operator=operator, value=scalar)
        case _:
            raise InvalidQueryError(
                parameter, f"the operator is one of = != < <= > >= exists missing, not {operator[:MAX_NAME_CHARS]!r}"
            )


def condition_parsed(text: str, *, parameter: str = "where") -> Condition:
    """Read ``owner=payments``, ``replicas>=3``, ``owner`` (it exists) or ``!owner`` (it is missing).

    A value that reads as a JSON number, text, true, false or null is that; anything else is a text as it stands, so
    the text 3 is written ``"3"``.
    """
    found = _TEXT.fullmatch(text)
    if found is None or (found["not"] and found["operator"]):
        raise InvalidQueryError(
            parameter, "must be like owner=payments, replicas>=3, owner (it exists) or !owner (it is missing)"
        )
    if found["operator"] is None:
        return condition(found["name"], "missing" if found["not"] else "exists", parameter=parameter)
    return condition(found["name"], found["operator"], _value(found["value"]), parameter=parameter)


def conditions(texts: Iterable[str], *, parameter: str = "where") -> tuple[Condition, ...]:
    """Read several conditions, all of which must hold; raise `InvalidQueryError`."""
    return bounded([condition_parsed(text, parameter=parameter) for text in texts], parameter=parameter)


def bounded(given: list[Condition], *, parameter: str) -> tuple[Condition, ...]:
    """Return the conditions without repetition and in one order; raise `InvalidQueryError` when there are too many."""
    if len(given) > MAX_CONDITIONS:
        raise InvalidQueryError(parameter, f"at most {MAX_CONDITIONS} conditions may be given, not {len(given)}")
    return tuple(sorted(set(given), key=lambda each: each.key))


def satisfied(wanted: Iterable[Condition], properties: Json) -> bool:
    """Tell whether the properties meet every condition."""
    values: Mapping[str, object] = json.loads(properties)
    return all(_holds(each, values) for each in wanted)


def _holds(wanted: Condition, values: Mapping[str, object]) -> bool:
    if wanted.operator == "missing":
        return wanted.name not in values
    if wanted.name not in values:
        return False
    if wanted.operator == "exists":
        return True
    value = values[wanted.name]
    if wanted.operator in {"=", "!="}:
        return _same(value, wanted.value) == (wanted.operator == "=")
    return _ordered(wanted.operator, value, wanted.value)


def _same(value: object, wanted: Scalar) -> bool:
    number = number_of(value)
    if isinstance(wanted, float):
        return number == wanted
    return type(value) is type(wanted) and value == wanted


def _ordered(operator: Operator, value: object, wanted: Scalar) -> bool:
    left = number_of(value) if isinstance(wanted, float) else value if isinstance(value, str) else None
    if left is None:
        return False
    # Both are numbers or both are texts: the check of the condition left nothing else.
    less, same = cast("float", left) < cast("float", wanted), left == wanted
    match operator:
        case "<":
            return less
        case "<=":
            return less or same
        case ">":
            return not less and not same
        case _:
            return not less


def number_of(value: object) -> float | None:
    """Return a JSON number as the float that it compares as, None for any other value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _scalar(value: object, parameter: str) -> Scalar:
    number = number_of(value)
    if number is not None:
        if not math.isfinite(number):
            raise InvalidQueryError(parameter, "a number must be finite")
        return number
    if isinstance(value, str):
        if len(value) > MAX_VALUE_CHARS:
            raise InvalidQueryError(parameter, f"a value has at most {MAX_VALUE_CHARS} characters, not {len(value)}")
        _require_text(value, parameter)
        return value
    if value is None or isinstance(value, bool):
        return value
    raise InvalidQueryError(parameter, "a value is a text, a number, true, false or null")


def _require_text(text: str, parameter: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidQueryError(parameter, "must not hold lone surrogates")


def _value(text: str) -> SCALAR:
    try:
        value = cast("object", json.loads(text, parse_constant=_not_json))
    except (ValueError, RecursionError):
        return text
    return value if value is None or isinstance(value, str | int | float | bool) else text


def _not_json(text: str) -> float:
    raise ValueError(text)
