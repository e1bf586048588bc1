"""Cedar's operators, methods and extension functions, each as what it makes of values; a wrong type is an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from aeterna.policies.adapters.smt import sets
from aeterna.policies.adapters.smt.addresses import ADDRESS_OPERATORS
from aeterna.policies.adapters.smt.arithmetic import NUMBER_OPERATORS
from aeterna.policies.adapters.smt.equality import equal
from aeterna.policies.adapters.smt.footprint import Footprint
from aeterna.policies.adapters.smt.outcome import ERROR, Outcome, truth
from aeterna.policies.adapters.smt.relations import within
from aeterna.policies.adapters.smt.symbols import Symbols
from aeterna.policies.adapters.smt.values import FALSE, Entity, SetTerm, Text, Truth, Value, negated

Operator = Callable[[Sequence[Value], Symbols, Footprint], Outcome]


def _equals(values: Sequence[Value], symbols: Symbols, footprint: Footprint) -> Outcome:
    return truth(equal(values[0], values[1], symbols, footprint))


def _differs(values: Sequence[Value], symbols: Symbols, footprint: Footprint) -> Outcome:
    return truth(negated(equal(values[0], values[1], symbols, footprint)))


def _not(values: Sequence[Value], _symbols: Symbols, _footprint: Footprint) -> Outcome:
    value = values[0]
    return truth(negated(value.term)) if isinstance(value, Truth) else ERROR


def _contains(values: Sequence[Value], _symbols: Symbols, footprint: Footprint) -> Outcome:
    set_, element = values
    return truth(sets.contains(set_, element, footprint)) if isinstance(set_, SetTerm) else ERROR


def _contains_all(values: Sequence[Value], symbols: Symbols, footprint: Footprint) -> Outcome:
    set_, other = values
    return (
        truth(sets.subset(other, set_, symbols, footprint))
        if isinstance(set_, SetTerm) and isinstance(other, SetTerm)
        else ERROR
    )


def _contains_any(values: Sequence[Value], symbols: Symbols, footprint: Footprint) -> Outcome:
    set_, other = values
    return (
        truth(sets.meet(set_, other, symbols, footprint))
        if isinstance(set_, SetTerm) and isinstance(other, SetTerm)
        else ERROR
    )


def _is_empty(values: Sequence[Value], symbols: Symbols, footprint: Footprint) -> Outcome:
    set_ = values[0]
    return truth(sets.empty(set_, symbols, footprint)) if isinstance(set_, SetTerm) else ERROR


def _has_tag(values: Sequence[Value], symbols: Symbols, footprint: Footprint) -> Outcome:
    entity, key = values
    if not isinstance(entity, Entity) or not isinstance(key, Text):
        return ERROR
    found = symbols.tag(entity, key, footprint)
    return truth(FALSE if found is None else found[0])


def _get_tag(values: Sequence[Value], symbols: Symbols, footprint: Footprint) -> Outcome:
    entity, key = values
    if not isinstance(entity, Entity) or not isinstance(key, Text):
        return ERROR
    found = symbols.tag(entity, key, footprint)
    return ERROR if found is None else Outcome(found[1], found[0])


OPERATORS: Final[Mapping[str, Operator]] = {
    "==": _equals,
    "!=": _differs,
    "!": _not,
    "in": within,
    "contains": _contains,
    "containsAll": _contains_all,
    "containsAny": _contains_any,
    "isEmpty": _is_empty,
    "hasTag": _has_tag,
    "getTag": _get_tag,
    **NUMBER_OPERATORS,
    **ADDRESS_OPERATORS,
}
"""By the name that Cedar's JSON has for it; the encoder itself knows what evaluates no more than it must."""
